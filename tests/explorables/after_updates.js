// Loads an agent of the playground, hands it weights and batches, and returns its parameters.
// One expression, so that Node and a page can evaluate it; `load` imports a module of the book.
async (load, { mistake, config, theta, batches }) => {
  const { MISTAKES } = await load("playground/mistakes.js");
  const { Batch } = await load("playground/ddpg.js");
  const agent = new MISTAKES[mistake].agent(config, () => 0);
  agent.actor.theta.set(theta.actor);
  agent.critic.theta.set(theta.critic);
  agent.actorTarget.set(theta.actor);
  agent.criticTarget.set(theta.critic);
  const batch = new Batch(batches[0].r.length);
  for (const fields of batches) {
    for (const [name, values] of Object.entries(fields)) batch[name].set(values);
    agent.update(batch);
  }
  return {
    actor: [...agent.actor.theta],
    critic: [...agent.critic.theta],
    actor_target: [...agent.actorTarget],
    critic_target: [...agent.criticTarget],
  };
}
