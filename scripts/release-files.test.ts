import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeReleaseFiles } from './release-files.mjs';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ponte-release-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a release has its bill of materials and sums that sha256sum takes, and that show a changed file', () => {
  writeFileSync(join(folder, 'ponte.tgz'), 'the archive');
  writeReleaseFiles(folder);
  // A second time the sums are made anew, not over themselves.
  expect(writeReleaseFiles(folder).map((line) => line.slice(66))).toEqual(['ponte.tgz', 'sbom.cdx.json']);
  const check = () => execFileSync('sha256sum', ['--check', 'SHA256SUMS'], { cwd: folder, stdio: 'pipe' }).toString();
  expect(check()).toBe('ponte.tgz: OK\nsbom.cdx.json: OK\n');
  const { components } = JSON.parse(readFileSync(join(folder, 'sbom.cdx.json'), 'utf8')) as { components: object[] };
  expect(components.length).toBeGreaterThan(50);
  writeFileSync(join(folder, 'ponte.tgz'), 'another archive');
  expect(check).toThrow('1 computed checksum did NOT match');
});
