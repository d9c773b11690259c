import { describeEngine } from '@ponte/engine/conformance';
import { simulatorNetwork } from './simulator-network.ts';

describeEngine('baileys', simulatorNetwork);
