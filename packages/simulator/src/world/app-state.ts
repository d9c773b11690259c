import {
  type SyncdMutation,
  type SyncdPatch,
  type SyncdRecord,
  type SyncdSnapshot,
  syncProto,
} from '../phone/sync/sync-proto.ts';
import { type Db, prepare } from './database.ts';
import { atomically } from './shared-commit.ts';

/** Patches kept per collection; a device that is further behind gets a snapshot. */
const PATCHES_MAX = 500;
const RECORDS_MAX = 20_000;

export type AppStates = ReturnType<typeof createAppStates>;

/**
 * What the server keeps of the app state of a tenant's accounts. It cannot read any of it: it
 * counts versions, keeps patches in order and knows by the MAC of its index which record a mutation
 * replaces.
 */
export function createAppStates(db: Db, tenant: string) {
  const select = prepare<[string, string, string], { version: number; mac: Buffer; key_id: Buffer }>(
    db,
    'select version, mac, key_id from app_state where tenant = ? and pn = ? and name = ?',
  );
  const upsert = prepare<unknown[]>(
    db,
    'insert or replace into app_state (tenant, pn, name, version, mac, key_id) values (?,?,?,?,?,?)',
  );
  const insertPatch = prepare<unknown[]>(
    db,
    'insert into app_state_patch (tenant, pn, name, version, patch) values (?,?,?,?,?)',
  );
  const dropPatches = prepare<unknown[]>(
    db,
    'delete from app_state_patch where tenant = ? and pn = ? and name = ? and version <= ?',
  );
  const selectPatches = prepare<[string, string, string, number, number], { version: number; patch: Buffer }>(
    db,
    'select version, patch from app_state_patch where tenant = ? and pn = ? and name = ? and version > ? order by version limit ?',
  );
  const records = recordRows(db, tenant);

  return {
    version: (pn: string, name: string): number => select.get(tenant, pn, name)?.version ?? 0,
    isFull: (pn: string, name: string): boolean => records.count(pn, name) >= RECORDS_MAX,
    /** Patches after a version, oldest first; undefined when some of them are not kept any more. */
    patchesAfter(
      pn: string,
      name: string,
      version: number,
      limit: number,
    ): { version: number; patch: Uint8Array }[] | undefined {
      const rows = selectPatches.all(tenant, pn, name, version, limit);
      const isWhole = version >= this.version(pn, name) || rows[0]?.version === version + 1;
      return isWhole ? rows : undefined;
    },
    /**
     * What all patches come to; undefined when there was none. Its MAC is the one of the last
     * patch.
     */
    snapshot(pn: string, name: string): SyncdSnapshot | undefined {
      const state = select.get(tenant, pn, name);
      if (!state) return undefined;
      return {
        version: { version: state.version },
        records: records.all(pn, name),
        mac: state.mac,
        keyId: { id: state.key_id },
      };
    },
    /** Appends a patch; `mutations` are those inside and those of its file. One transaction. */
    append(pn: string, name: string, patch: SyncdPatch, mutations: SyncdMutation[]): number {
      return atomically(db, () => {
        const version = this.version(pn, name) + 1;
        const stored = syncProto.SyncdPatch.encode({ ...patch, version: { version } }).finish();
        insertPatch.run(tenant, pn, name, version, stored);
        dropPatches.run(tenant, pn, name, version - PATCHES_MAX);
        upsert.run(
          tenant,
          pn,
          name,
          version,
          patch.snapshotMac ?? new Uint8Array(),
          patch.keyId?.id ?? new Uint8Array(),
        );
        for (const mutation of mutations) records.apply(pn, name, mutation);
        return version;
      });
    },
  };
}

/** What the mutations of a collection come to: one record per index. */
function recordRows(db: Db, tenant: string) {
  const putRecord = prepare<unknown[]>(
    db,
    'insert or replace into app_state_record (tenant, pn, name, id, record) values (?,?,?,?,?)',
  );
  const dropRecord = prepare<unknown[]>(
    db,
    'delete from app_state_record where tenant = ? and pn = ? and name = ? and id = ?',
  );
  const selectRecords = prepare<[string, string, string], { record: Buffer }>(
    db,
    'select record from app_state_record where tenant = ? and pn = ? and name = ? order by id',
  );
  const countRecords = prepare<[string, string, string], { n: number }>(
    db,
    'select count(*) as n from app_state_record where tenant = ? and pn = ? and name = ?',
  );

  return {
    count: (pn: string, name: string): number => countRecords.get(tenant, pn, name)?.n ?? 0,
    all: (pn: string, name: string): SyncdRecord[] =>
      selectRecords
        .all(tenant, pn, name)
        .map(({ record }) => syncProto.SyncdMutations.decode(record).mutations?.[0]?.record ?? {}),
    apply(pn: string, name: string, mutation: SyncdMutation): void {
      const id = mutation.record?.index?.blob ?? new Uint8Array();
      const isSet = (mutation.operation ?? 0) === 0;
      if (!isSet) dropRecord.run(tenant, pn, name, id);
      else putRecord.run(tenant, pn, name, id, syncProto.SyncdMutations.encode({ mutations: [mutation] }).finish());
    },
  };
}
