/**
 * node .ci/supply-chain.mjs SBOM AUDIT: fails where a package that is shipped has no version or no licence, and at an advisory
 * of high severity. A registry that does not answer `npm audit` is said, and is no failure.
 */
import { readFileSync } from 'node:fs';

/** Licences that were read by a person, where the package's own field names none that the bill of materials can take. */
const READ_BY_HAND = {
  // Bitstream Vera's licence, its changes in the public domain: may be shipped and embedded.
  'dejavu-fonts-ttf@2.37.3': 'Bitstream-Vera',
};

const [sbomFile, auditFile] = process.argv.slice(2);
const { components = [] } = JSON.parse(readFileSync(sbomFile, 'utf8'));
const licenceOf = ({ name, version, licenses = [] }) => licenses[0] ?? READ_BY_HAND[`${name}@${version}`];
const nameless = components.filter((one) => !one.version || licenceOf(one) === undefined);
process.stdout.write(`${components.length} packages are shipped\n`);
for (const { name } of nameless) process.stdout.write(`without a version or a licence: ${name}\n`);
let failed = components.length === 0 || nameless.length > 0;

const counts = advisories(auditFile);
if (counts === undefined) {
  process.stdout.write('the registry did not say which holes are known\n');
} else {
  process.stdout.write(`known holes: ${JSON.stringify(counts)}\n`);
  failed ||= (counts.high ?? 0) + (counts.critical ?? 0) > 0;
}
process.exit(failed ? 1 : 0);

function advisories(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).metadata?.vulnerabilities;
  } catch {
    return undefined;
  }
}
