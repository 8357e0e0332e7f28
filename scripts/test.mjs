// `make test`: everything that must hold before a change is sent. `make check` (--quick): all of it but
// the browser tests and the race detector, in some six minutes.
//
// A step that fails does not stop the ones after it, except where they could not run at all. The
// last line is "N passed, N failed".
import { check, checkSilent } from "./checks.mjs";
import { installPrograms } from "./programs.mjs";
import { Report } from "./report.mjs";
import { browserTests, goTests, postgresTests, quickGoTests, testsWithoutRace, unitTests } from "./suites.mjs";

const quick = process.argv.includes("--quick");
const report = new Report();

await installPrograms(report);
const web = await check(report, "npm ci", ["npm", "ci", "--no-audit", "--no-fund"], { cwd: "web" });
await checkSilent(report, "gofmt", ["sh", "-c", "gofmt -l $(git ls-files '*.go')"], "run gofmt -w on these files");
await check(report, "go mod tidy", ["go", "mod", "tidy", "-diff"]);
await check(report, "go vet", ["go", "vet", "./..."]);
await check(report, "staticcheck", ["go", "tool", "staticcheck", "./..."]);
if (web) {
	await check(report, "build the page", ["npm", "run", "--silent", "build"], { cwd: "web" });
	await checkSilent(report, "committed build", ["git", "status", "--porcelain", "--", "web/dist"], "commit web/dist with the change that made it");
	await check(report, "tsc and biome", ["npm", "run", "--silent", "check"], { cwd: "web" });
	await report.suites(unitTests);
}
await report.suites(quick ? quickGoTests : goTests, postgresTests);
if (!quick) await report.suites(testsWithoutRace); // the quick run had them
if (web && !quick) await report.suites(browserTests);

report.print();
process.exit(report.failed === 0 ? 0 : 1);
