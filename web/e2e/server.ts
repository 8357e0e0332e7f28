import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

export const root = resolve(import.meta.dirname, "../..");
export const binary = join(tmpdir(), `carillon-e2e-${process.getuid?.() ?? 0}`, "carillon");

/** A running Carillon on loopback, with a data folder of its own. */
export class Server {
	readonly #data = mkdtempSync(join(tmpdir(), "carillon-data-"));
	readonly #env: Record<string, string>;
	#flags = [
		"--listen",
		"127.0.0.1:0",
		"--media",
		"127.0.0.1:0",
		"--turn",
		"127.0.0.1:0",
		"--private",
		"127.0.0.1:0",
	];
	#process: ChildProcess | undefined;
	/** What each listener is called, and its URL, as printed at the start. */
	urls = new Map<string, string>();

	constructor(env: Record<string, string> = {}) {
		this.#env = env;
	}

	get url(): string {
		const url = this.urls.get("http") ?? this.urls.get("https");
		if (!url) throw new Error("the server printed no http URL");
		return url;
	}

	async start(): Promise<void> {
		const child = spawn(binary, ["serve", "--data", this.#data, ...this.#flags], {
			env: { ...process.env, CARILLON_LOG: "warn", ...this.#env },
			stdio: ["ignore", "pipe", "inherit"],
		});
		this.#process = child;
		for await (const line of createInterface({ input: child.stdout })) {
			if (line === "ready") {
				child.stdout.resume(); // nobody reads on
				return;
			}
			const [name, url] = line.split(" ", 2);
			if (name && url && !this.urls.has(name)) this.urls.set(name, url);
		}
		throw new Error(`the server ended with ${child.exitCode} before it was ready`);
	}

	/** Ends the process: kill leaves it no time for anything. */
	async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
		const child = this.#process;
		if (!child || child.exitCode !== null || child.signalCode !== null) return;
		const gone = once(child, "exit");
		child.kill(signal);
		await gone;
	}

	/** Stops and starts on the same addresses. */
	async restart(signal: "SIGTERM" | "SIGKILL" = "SIGKILL"): Promise<void> {
		const address = (name: string) =>
			(this.urls.get(name) ?? "").replace(/^[a-z]+:(\/\/)?/, "").replace(/\?.*/, "");
		this.#flags = [
			"--listen",
			address("http"),
			"--media",
			address("media-udp"),
			"--turn",
			address("turn-udp"),
			"--private",
			address("private"),
		]; // prettier-ignore
		await this.stop(signal);
		this.urls.clear();
		await this.start();
	}
}
