// Suites of many tests: each test counts, and tells how long it took.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const scratch = mkdtempSync(join(tmpdir(), "carillon-test-"));

/**
 * The race detector watches everything but SQLite itself: that is C, translated to Go, which has its own locks and its
 * own memory, and takes five times as long when it is watched. Its driver is watched, and so is what the store hands to it.
 */
const race = ["-race", ...["sqlite/lib", "libc/...", "memory"].map((name) => `-gcflags=modernc.org/${name}=-race=false`)];

/** The packages whose tests run on each database. */
const onDatabases = ["./store", "./chat", "./switchboard", "./signaling"];

/** Go: one line per package, and all output of what failed. A test that skips itself has failed. */
export const goTests = goSuite("go test -race", [...race, "./..."]);

/** The same without the race detector. The tests wait more than they compute: twice as many packages at a time. */
export const quickGoTests = goSuite("go test", ["-p", `${2 * availableParallelism()}`, "./..."]);

/** The tests of what the database decides, on PostgreSQL. The race detector has seen the same code on SQLite. */
export const postgresTests = goSuite("go test on PostgreSQL", onDatabases, { CARILLON_TEST_STORE: "postgres" }, "on PostgreSQL: ");

/** The tests that only a build without the race detector has. */
export const testsWithoutRace = goSuite("go test without -race", ["-run", "TestRandomKillsOfThreeNodes", "."]);

/** TypeScript without a browser. */
export const unitTests = webSuite("vitest", ["vitest", "run", "--reporter=default", "--reporter=json"], (r) =>
	r.testResults.flatMap((file) => file.assertionResults).map((t) => ({
		name: t.fullName,
		passed: t.status === "passed",
		seconds: (t.duration ?? 0) / 1000,
	})),
);

/** The whole product in Chromium and Firefox. */
export const browserTests = webSuite("browser tests", ["playwright", "test", "--reporter=list,json"], (r) => {
	const specs = (suite) => [...(suite.specs ?? []), ...(suite.suites ?? []).flatMap(specs)];
	return r.suites.flatMap(specs).map((spec) => ({
		name: `${spec.file}: ${spec.title}`,
		passed: spec.tests.every((t) => t.status === "expected" && t.expectedStatus === "passed"),
		seconds: Math.max(...spec.tests.flatMap((t) => t.results.map((result) => result.duration / 1000))),
	}));
});

function goSuite(name, args, env = {}, prefix = "") {
	return {
		name,
		async run(outcome, say) {
			const options = { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, ...env } };
			const go = spawn("go", ["test", "-vet=off", "-timeout", "20m", "-json", ...args], options); // go vet is a step of its own
			const exit = new Promise((done) => go.on("close", done));
			const output = new Map();
			for await (const line of createInterface({ input: go.stdout })) {
				if (line.startsWith("{")) goEvent(outcome, say, JSON.parse(line), output, prefix);
				else say(line);
			}
			if ((await exit) !== 0 && outcome.failed === 0) outcome.fail(name);
		},
	};
}

/** One line of `go test -json`. `output` keeps what each running test has printed. */
function goEvent(outcome, say, { Action: action, Package, ImportPath, Test: test, Output, Elapsed: seconds = 0 }, output, prefix) {
	const key = [prefix + (Package ?? ImportPath ?? ""), test].filter(Boolean).join(" ");
	if (Output) output.set(key, (output.get(key) ?? "") + Output);
	if (!["pass", "fail", "skip", "build-fail"].includes(action)) return;
	if (action === "pass" || (action === "skip" && !test)) {
		if (test) outcome.pass(key, seconds);
	} else {
		say(output.get(key) ?? "");
		outcome.fail(action === "skip" ? `${key} was skipped` : key, test && seconds);
	}
	if (!test && Package) say(`   ${action} ${prefix}${Package} ${seconds} s`);
	output.delete(key);
}

/** Runs a JavaScript test runner, which leaves a report in JSON for `read`. */
function webSuite(name, command, read) {
	return {
		name,
		async run(outcome, say) {
			const file = join(scratch, `${command[0]}.json`);
			const runner = spawn("npx", command[0] === "vitest" ? [...command, `--outputFile.json=${file}`] : command, {
				cwd: "web",
				stdio: ["ignore", "pipe", "inherit"],
				env: { ...process.env, PLAYWRIGHT_JSON_OUTPUT_NAME: file },
			});
			const exit = new Promise((done) => runner.on("close", done));
			for await (const line of createInterface({ input: runner.stdout })) say(line);
			const status = await exit;
			const tests = existsSync(file) ? read(JSON.parse(readFileSync(file, "utf8"))) : [];
			for (const { name, passed, seconds } of tests) passed ? outcome.pass(name, seconds) : outcome.fail(name, seconds);
			// A run that broke off may have told of no test that failed.
			if ((status !== 0 || tests.length === 0) && outcome.failed === 0) outcome.fail(name);
		},
	};
}
