"""The agents that can be trained, by the names that configurations and records use.

| name | is |
|---|---|
| ``ddpg`` | chapter 11's agent |
| ``by_hand`` | chapter 10's: the same in NumPy alone |
| ``td3`` | chapter 13's |
| ``td3-one-critic``, ``td3-still`` | the same without its first, without its second change |
| ``drifting-noise`` | chapter 9's: DDPG that explores with Ornstein-Uhlenbeck noise |
| ``bug-...`` | chapter 12's: DDPG with one silent bug |
"""

from dpgcourse.agent.ablations import ABLATIONS
from dpgcourse.agent.bugs import BUGS
from dpgcourse.agent.by_hand import DDPGByHand
from dpgcourse.agent.ddpg import DDPGAgent
from dpgcourse.agent.td3 import OneCritic, StillTarget, TD3Agent

METHODS: dict[str, type[DDPGAgent | DDPGByHand]] = {
    "ddpg": DDPGAgent,
    "by_hand": DDPGByHand,
    "td3": TD3Agent,
    "td3-one-critic": OneCritic,
    "td3-still": StillTarget,
    **ABLATIONS,
    **{f"bug-{name}": agent_class for name, agent_class in BUGS.items()},
}
