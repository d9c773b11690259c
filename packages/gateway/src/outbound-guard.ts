import { type Config, ownServicesOf } from './config/config.ts';
import { systemClock } from './core/clock.ts';
import { createAddressPolicy, parseAllowList } from './net/address-policy.ts';
import { createGuard, type Guard } from './net/guarded-fetch.ts';
import { createResolver } from './net/resolver.ts';

/**
 * The guard of every request that goes where a customer says, as this installation is configured.
 */
export function createOutboundGuard(config: Config): Guard {
  const allow = parseAllowList(config.allowPrivateTargets.join(','));
  const names = allow.flatMap(({ match }) => ('name' in match ? [match.name] : []));
  return createGuard({
    policy: createAddressPolicy({ allow, ownPorts: [config.http.port], ownServices: ownServicesOf(config) }),
    resolve: createResolver({ systemNames: new Set(names) }),
    clock: systemClock,
  });
}
