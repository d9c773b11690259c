export { SANDBOX_CALLS } from './control/control.ts';
export { createWorld, SandboxError, type TestWorld, type WorldOptions } from './create-world.ts';
export { createSimulator, type Simulator, type SimulatorOptions } from './simulator.ts';
