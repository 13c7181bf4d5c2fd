export { checkCommitted, type CommittedCommand, placesOf, type WritePlace } from './committed.ts';
export { describeCall, explainHtml } from './explain-html.ts';
export { type Annotation, type DrawnCall, violationPage, type ViolationPage } from './explain-page.ts';
export { checkLinearizability, type PartVerdict, unplaceable } from './kv-model.ts';
export { defaultStepBudget, linearize, type Model, type Timed, type Verdict } from './wgl.ts';
