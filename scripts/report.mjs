// What has passed and failed, how long each step took, and which tests were the slowest.
import { cpus } from "node:os";

/** How many of the slowest tests are named at the end. */
const slowest = 10;

export class Report {
	#passed = 0;
	#failed = [];
	#steps = [];
	#tests = [];
	#began = new Stopwatch();

	/** One thing that holds. A test tells how long it took. */
	pass(name, seconds) {
		this.#passed++;
		if (seconds !== undefined) this.#tests.push({ name, seconds });
	}

	/** One thing that does not hold. */
	fail(name, seconds) {
		this.#failed.push(name);
		if (seconds !== undefined) this.#tests.push({ name, seconds });
	}

	get failed() {
		return this.#failed.length;
	}

	/** Runs one step under its heading, and notes what it took. */
	async step(name, run) {
		console.log(`\n== ${name}`);
		const watch = new Stopwatch();
		const failedBefore = this.failed;
		const result = await run();
		const took = watch.read();
		console.log(`   ${this.failed === failedBefore ? "ok" : "FAILED"} in ${took.seconds.toFixed(1)} s`);
		this.#steps.push({ name, ...took });
		return result;
	}

	/** Runs suites of tests beside each other, as one step. What each prints is shown after its name. */
	async suites(...suites) {
		await this.step(suites.map(({ name }) => name).join(", "), () =>
			Promise.all(
				suites.map(async ({ name, run }) => {
					const watch = new Stopwatch();
					const outcome = new Outcome(this);
					const alone = suites.length === 1;
					await run(outcome, (text) => console.log(alone ? text : text.replaceAll(/^/gm, `${name} │ `)));
					if (!alone) console.log(`   ${outcome.failed === 0 ? "ok" : "FAILED"} ${name} in ${watch.read().seconds.toFixed(1)} s`);
				}),
			),
		);
	}

	/** Ends with the line "N passed, N failed". */
	print() {
		const time = (seconds) => `${seconds.toFixed(1).padStart(8)} s`;
		const busy = ({ seconds, cpu }) => `${time(cpu)} ${Math.round((100 * cpu) / seconds / cpus().length)}%`.padEnd(16);
		console.log("\n== steps: how long each took, how long the processors of this machine worked meanwhile, and how busy that is");
		for (const step of [...this.#steps, { name: "all", ...this.#began.read() }]) console.log(`${time(step.seconds)} ${busy(step)}  ${step.name}`);
		if (this.#tests.length > 0) console.log("\n== slowest tests");
		for (const test of this.#tests.toSorted((a, b) => b.seconds - a.seconds).slice(0, slowest)) console.log(`${time(test.seconds)}  ${test.name}`);
		console.log();
		for (const name of this.#failed) console.log(`failed: ${name}`);
		console.log(`${this.#passed} passed, ${this.failed} failed`);
	}
}

/** What has passed and failed in one suite. */
class Outcome {
	#report;
	failed = 0;

	constructor(report) {
		this.#report = report;
	}

	pass(name, seconds) {
		this.#report.pass(name, seconds);
	}

	fail(name, seconds) {
		this.failed++;
		this.#report.fail(name, seconds);
	}
}

/** Measures from its construction on. */
class Stopwatch {
	#started = Date.now();
	#worked = worked();

	/** The seconds that have passed, and those that all processors together have worked, for whomever. */
	read() {
		return { seconds: (Date.now() - this.#started) / 1000, cpu: (worked() - this.#worked) / 1000 };
	}
}

/** How many milliseconds the processors of this machine have worked since it started. */
function worked() {
	return cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0);
}
