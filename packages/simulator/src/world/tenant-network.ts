import { createPairing, type Pairing } from './pairing.ts';
import { Phones } from './phones.ts';
import { createRouter, type Router } from './router.ts';
import { createTenant, type Tenant, type TenantOptions } from './tenant.ts';

/** A tenant with everything that acts in it. */
export interface TenantNetwork {
  tenant: Tenant;
  router: Router;
  pairing: Pairing;
  phones: Phones;
}

export function createTenantNetwork(options: Omit<TenantOptions, 'wake'>): TenantNetwork {
  const wake = (_tenant: Tenant, pn: string, device: number): void => {
    if (device === 0) phones.wake(pn);
  };
  const tenant = createTenant({ ...options, wake });
  const router = createRouter(tenant);
  const phones = new Phones(tenant, router);
  // What the network had not brought to phones when it ended.
  for (const pn of tenant.queue.phonesWithMail()) phones.wake(pn);
  return { tenant, router, pairing: createPairing(tenant), phones };
}
