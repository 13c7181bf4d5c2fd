export { checkCommitted, type CommittedCommand } from './committed.ts';
export { type Annotation, explainHtml } from './explain-html.ts';
export { checkLinearizability, type PartVerdict, unplaceable } from './kv-model.ts';
export { defaultStepBudget, linearize, type Model, type Timed, type Verdict } from './wgl.ts';
