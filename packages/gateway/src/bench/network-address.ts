/** The environment variable in which a measured gateway finds the network, as JSON. */
export const NETWORK_ADDRESS = 'BENCH_NETWORK_ADDRESS';
