from .agents.base import Agent as Agent
from .agents.config import AgentConfig as AgentConfig
from .agents.config import DDPGConfig as DDPGConfig
from .agents.config import SACConfig as SACConfig
from .agents.config import TD3Config as TD3Config
from .agents.ddpg import DDPG as DDPG
from .agents.numpy_ddpg import NumpyDDPG as NumpyDDPG
from .agents.registry import register_algorithm as register_algorithm
from .agents.sac import SAC as SAC
from .agents.td3 import TD3 as TD3
from .errors import InvalidInputError as InvalidInputError
from .errors import StorageError as StorageError
from .figures.video import play as play
from .published import results_path as results_path
from .training.config import TrainConfig as TrainConfig
from .training.divergence import DivergenceError as DivergenceError
from .training.evaluation import EvaluationReport as EvaluationReport
from .training.evaluation import evaluate as evaluate
from .training.loop import Run as Run
from .training.loop import resume as resume
from .training.loop import train as train
from .training.record import Record as Record
from .training.record import load as load
from .training.record import read_record as read_record
from .training.study import run_study as run_study
from .training.study_folder import read_study as read_study

__version__: str
