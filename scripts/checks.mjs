// Checks that are one command each: it succeeds, or it prints nothing.
import { spawnSync } from "node:child_process";

/** Holds when the command succeeds. What it prints is shown. */
export function check(report, name, [program, ...flags], options = {}) {
	return report.step(name, () => {
		const { status } = spawnSync(program, flags, { stdio: "inherit", ...options });
		if (status === 0) report.pass(name);
		else report.fail(name);
		return status === 0;
	});
}

/** Holds when the command succeeds and prints nothing, as `gofmt -l` and `git status` do when all is well. */
export function checkSilent(report, name, [program, ...flags], advice) {
	return report.step(name, () => {
		const { status, stdout, stderr } = spawnSync(program, flags, { encoding: "utf8" });
		if (status === 0 && stdout.trim() === "") return report.pass(name);
		console.log(`${stdout}${stderr}   ${advice}`);
		report.fail(name);
	});
}
