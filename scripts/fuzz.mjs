// `make fuzz`: runs each fuzz test for a while. FUZZTIME=10s says how long (a minute otherwise),
// FUZZ=front only those whose name or package has this in it.
//
// It lists the tests by itself: Go's fuzz tests, and the properties in web/**/foreign.test.ts. An input that fails is written to testdata/fuzz beside its test,
// which `make test` then runs each time: keep it with the change that repairs the fault. What
// is merely new to the fuzzer stays in Go's cache.
import { execFileSync, spawnSync } from "node:child_process";

const time = process.env.FUZZTIME ?? "60s";
const only = process.env.FUZZ ?? "";

/** Of a duration as Go writes it: 10s, 2m. */
function seconds(duration) {
	const [, n, unit] = duration.match(/^(\d+)([smh])$/) ?? [];
	return Number(n ?? 60) * { s: 1, m: 60, h: 3600 }[unit ?? "s"];
}

/** Each fuzz test with its package. */
function tests() {
	const list = execFileSync("go", ["test", "-list", "^Fuzz", "./..."], { encoding: "utf8", maxBuffer: 1 << 26 });
	const found = [];
	let names = [];
	for (const line of list.split("\n")) {
		if (line.startsWith("Fuzz")) names.push(line.trim());
		const ended = line.match(/^ok\s+(\S+)/);
		if (!ended) continue;
		for (const name of names) found.push({ name, pkg: ended[1] });
		names = [];
	}
	return found;
}

const all = tests().filter(({ name, pkg }) => `${pkg} ${name}`.includes(only));
const failed = [];
for (const { name, pkg } of all) {
	console.log(`\n== ${pkg} ${name}`);
	const { status } = spawnSync("go", ["test", pkg, "-run", "^$", "-fuzz", `^${name}$`, "-fuzztime", time, "-fuzzminimizetime", "1s"], { stdio: "inherit" });
	if (status !== 0) failed.push(`${pkg} ${name}`);
}
if (`web foreign`.includes(only)) {
	console.log("\n== web foreign.test.ts");
	const { status } = spawnSync("npx", ["vitest", "run", "foreign"], { cwd: "web", stdio: "inherit", env: { ...process.env, FUZZ_SECONDS: `${seconds(time)}` } });
	all.push({ name: "foreign.test.ts", pkg: "web" });
	if (status !== 0) failed.push("web foreign.test.ts");
}
for (const name of failed) console.log(`failed: ${name}`);
console.log(`${all.length - failed.length} passed, ${failed.length} failed`);
process.exit(failed.length === 0 ? 0 : 1);
