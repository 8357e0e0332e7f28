// The programs that tests start, and how they come onto the machine.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/** Each program, or the pattern of its path where it is in no folder of programs, and the Debian package that brings it. */
const packages = {
	chromium: "chromium",
	"firefox-esr": "firefox-esr",
	turnutils_uclient: "coturn",
	strace: "strace",
	ip: "iproute2",
	pebble: "pebble",
	"/usr/lib/postgresql/*/bin/postgres": "postgresql",
	"nats-server": "nats-server",
	haproxy: "haproxy",
	"docker-compose": "docker-compose",
};

/** Installs what is missing, where this user may; else says how. */
export async function installPrograms(report) {
	const missing = Object.keys(packages).filter((program) => !installed(program));
	if (missing.length === 0) return;
	const wanted = [...new Set(missing.map((program) => packages[program]))].join(" ");
	await report.step(`install ${wanted}`, () => {
		if (process.getuid() !== 0 || !existsSync("/usr/bin/apt-get")) {
			console.log(`The tests need ${missing.join(", ")}. Install them: sudo apt-get install ${wanted}`);
			return report.fail(`install ${wanted}`);
		}
		const install = `apt-get update -q && apt-get install -q -y --no-install-recommends ${wanted}`;
		const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
		const { status } = spawnSync("sh", ["-c", install], { stdio: "inherit", env });
		if (status !== 0) report.fail(`install ${wanted}`);
	});
}

function installed(program) {
	const found = program.startsWith("/") ? `ls ${program}` : `command -v ${program} || ls /usr/sbin/${program}`;
	return spawnSync("sh", ["-c", found]).status === 0;
}
