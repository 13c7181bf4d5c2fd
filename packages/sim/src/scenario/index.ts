export { parseScenario, ScenarioError } from './parse.ts';
export { runScenario } from './run.ts';
