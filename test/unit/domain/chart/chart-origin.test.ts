import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { namesArchive, provenanceApplies } from '../../../../src/domain/chart/chart-origin.ts';
import { digestOf } from '../../../../src/domain/oci/digest.ts';

const ARCHIVE = Buffer.from('the archive');
const PROVENANCE = Buffer.from(`...\nfiles:\n  shop-1.2.3.tgz: ${digestOf(ARCHIVE)}\n-----BEGIN PGP SIGNATURE-----\n`);

describe('provenanceApplies', () => {
  it('holds for the bytes that came, and for no others', () => {
    const origin = { archive: ARCHIVE, provenance: PROVENANCE };
    assert.equal(provenanceApplies(origin, Uint8Array.from(ARCHIVE)), true);
    assert.equal(provenanceApplies(origin, Buffer.from('packed again')), false);
  });

  it('does not hold where there is no provenance or no archive', () => {
    assert.equal(provenanceApplies({ archive: ARCHIVE }, ARCHIVE), false);
    assert.equal(provenanceApplies({ provenance: PROVENANCE }, ARCHIVE), false);
    assert.equal(provenanceApplies({}, new Uint8Array()), false);
  });
});

describe('namesArchive', () => {
  it('looks for the digest of the archive', () => {
    assert.equal(namesArchive(PROVENANCE, ARCHIVE), true);
    assert.equal(namesArchive(PROVENANCE, Buffer.from('another')), false);
    assert.equal(namesArchive(Buffer.from('<html>not found</html>'), ARCHIVE), false);
  });
});
