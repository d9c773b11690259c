export { until } from '../../../engine/src/conformance/until.ts';
