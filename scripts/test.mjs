// Everything that must hold before a change is sent: `make test`.
//
// It installs what the tests need, checks form, builds the page, runs the tests of Go, of
// TypeScript and of the browser, and ends with the line "N passed, N failed". A step that
// fails does not stop the ones after it, except where they could not run at all.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const scratch = mkdtempSync(join(tmpdir(), "carillon-test-"));
const count = { passed: 0, failed: 0 };
const failures = [];

// Programs that tests start, and the Debian package of each.
const programs = {
  chromium: "chromium",
  "firefox-esr": "firefox-esr",
  turnutils_uclient: "coturn",
  strace: "strace",
  ip: "iproute2",
  pebble: "pebble",
};

function fail(what) {
  count.failed++;
  failures.push(what);
}

/** Runs a command with its output shown; counts as one check. */
function check(name, command, options = {}) {
  console.log(`\n== ${name}`);
  const started = Date.now();
  const done = spawnSync(command[0], command.slice(1), { stdio: "inherit", ...options });
  console.log(`   ${done.status === 0 ? "ok" : "FAILED"} in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  if (done.status === 0) count.passed++;
  else fail(name);
  return done.status === 0;
}

/** Fails when the command prints anything: for gofmt -l and git status. */
function checkSilent(name, command, advice) {
  console.log(`\n== ${name}`);
  const done = spawnSync(command[0], command.slice(1), { encoding: "utf8" });
  if (done.status === 0 && done.stdout.trim() === "") {
    count.passed++;
    return;
  }
  console.log(`${done.stdout}${done.stderr ?? ""}   FAILED: ${advice}`);
  fail(name);
}

function installPrograms() {
  const missing = Object.keys(programs).filter((p) => spawnSync("sh", ["-c", `command -v ${p} || ls /usr/sbin/${p}`]).status !== 0);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((p) => programs[p]))];
  if (process.getuid() !== 0 || !existsSync("/usr/bin/apt-get")) {
    console.log(`The tests need ${missing.join(", ")}. Install them: sudo apt-get install ${packages.join(" ")}`);
    fail("install programs");
    return;
  }
  check(
    `install ${packages.join(" ")}`,
    ["sh", "-c", `apt-get update -q && apt-get install -q -y --no-install-recommends ${packages.join(" ")}`],
    { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } },
  );
}

/** Runs go test and counts its tests; shows a line per package, and whole what failed. */
function goTests() {
  console.log("\n== go test -race");
  return new Promise((resolve) => {
    const go = spawn("go", ["test", "-race", "-timeout", "20m", "-json", "./..."], { stdio: ["ignore", "pipe", "inherit"] });
    const output = new Map();
    createInterface({ input: go.stdout }).on("line", (line) => {
      let e;
      try {
        e = JSON.parse(line);
      } catch {
        console.log(line);
        return;
      }
      const key = `${e.Package ?? e.ImportPath ?? ""} ${e.Test ?? ""}`;
      if (e.Output) output.set(key, (output.get(key) ?? "") + e.Output);
      if (e.Action === "skip" && e.Test) {
        console.log(output.get(key));
        fail(`${key} was skipped`);
      }
      if (e.Action !== "pass" && e.Action !== "fail" && e.Action !== "build-fail") return;
      if (e.Action !== "pass") {
        console.log(output.get(key));
        fail(key);
      } else if (e.Test) count.passed++;
      if (!e.Test && e.Package) console.log(`   ${e.Action} ${e.Package} ${e.Elapsed ?? 0} s`);
      output.delete(key);
    });
    go.on("close", (status) => {
      if (status !== 0 && count.failed === 0) fail("go test");
      resolve();
    });
  });
}

/** Runs a JavaScript test runner that writes a JSON report, and counts by it. */
function webTests(name, command, report, read) {
  console.log(`\n== ${name}`);
  const done = spawnSync(command[0], command.slice(1), { cwd: "web", stdio: "inherit", env: { ...process.env, PLAYWRIGHT_JSON_OUTPUT_NAME: report } });
  if (!existsSync(report)) {
    fail(name);
    return;
  }
  const { passed, failed } = read(JSON.parse(readFileSync(report, "utf8")));
  count.passed += passed;
  for (let i = 0; i < failed; i++) fail(name);
  if (done.status !== 0 && failed === 0) fail(name);
}

installPrograms();
const web = check("npm ci", ["npm", "ci", "--no-audit", "--no-fund"], { cwd: "web" });
checkSilent("gofmt", ["sh", "-c", "gofmt -l $(git ls-files '*.go')"], "run gofmt -w on these files");
check("go mod tidy", ["go", "mod", "tidy", "-diff"]);
check("go vet", ["go", "vet", "./..."]);
check("staticcheck", ["go", "tool", "staticcheck", "./..."]);
if (web) {
  check("build the page", ["npm", "run", "--silent", "build"], { cwd: "web" });
  checkSilent("committed build", ["git", "status", "--porcelain", "--", "web/dist"], "commit web/dist with the change that made it");
  check("tsc and biome", ["npm", "run", "--silent", "check"], { cwd: "web" });
}
await goTests();
if (web) {
  const unit = join(scratch, "unit.json");
  webTests("vitest", ["npx", "vitest", "run", "--reporter=default", "--reporter=json", `--outputFile.json=${unit}`], unit, (r) => ({
    passed: r.numPassedTests,
    failed: r.numTotalTests - r.numPassedTests,
  }));
  const browser = join(scratch, "browser.json");
  webTests("browser tests", ["npx", "playwright", "test", "--reporter=list,json"], browser, (r) => ({
    passed: r.stats.expected,
    failed: r.stats.unexpected + r.stats.flaky + r.stats.skipped,
  }));
}
for (const f of failures) console.log(`failed: ${f}`);
console.log(`${count.passed} passed, ${count.failed} failed`);
process.exit(count.failed === 0 ? 0 : 1);
