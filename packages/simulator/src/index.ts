export { SANDBOX_CALLS } from './control/control.ts';
export { createSimulator, type Simulator, type SimulatorOptions } from './simulator.ts';
