// What has passed and failed, how long each step took, and which tests were the slowest.

/** How many of the slowest tests are named at the end. */
const slowest = 10;

export class Report {
	#passed = 0;
	#failed = [];
	#steps = [];
	#tests = [];

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

	/** Runs one step under its heading, and notes how long it took. */
	async step(name, run) {
		console.log(`\n== ${name}`);
		const started = Date.now();
		const failedBefore = this.failed;
		const result = await run();
		const seconds = (Date.now() - started) / 1000;
		console.log(`   ${this.failed === failedBefore ? "ok" : "FAILED"} in ${seconds.toFixed(1)} s`);
		this.#steps.push({ name, seconds });
		return result;
	}

	/** Ends with the line "N passed, N failed". */
	print() {
		const line = ({ name, seconds }) => console.log(`${seconds.toFixed(1).padStart(8)} s  ${name}`);
		console.log("\n== steps, and how long each took");
		for (const step of this.#steps) line(step);
		if (this.#tests.length > 0) console.log("\n== slowest tests");
		for (const test of this.#tests.toSorted((a, b) => b.seconds - a.seconds).slice(0, slowest)) line(test);
		console.log();
		for (const name of this.#failed) console.log(`failed: ${name}`);
		console.log(`${this.#passed} passed, ${this.failed} failed`);
	}
}
