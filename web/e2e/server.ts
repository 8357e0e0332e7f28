import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

export const root = resolve(import.meta.dirname, "../..");
export const binary = join(tmpdir(), `carillon-e2e-${process.getuid?.() ?? 0}`, "carillon");

/** A running Carillon on loopback, with a data folder of its own. */
export class Server {
	readonly #data = mkdtempSync(join(tmpdir(), "carillon-data-"));
	readonly #env: Record<string, string>;
	#addresses = { http: "127.0.0.1:0", media: "127.0.0.1:0", turn: "127.0.0.1:0", private: "127.0.0.1:0" };
	#process: ChildProcess | undefined;
	/** What each listener is called, and its URL, as printed at the start. */
	readonly urls = new Map<string, string>();

	constructor(env: Record<string, string> = {}) {
		this.#env = env;
	}

	get url(): string {
		const url = this.urls.get("http") ?? this.urls.get("https");
		if (!url) throw new Error("the server printed no http URL");
		return url.replace(/\/$/, "");
	}

	async start(): Promise<void> {
		const { http, media, turn, private: inside } = this.#addresses;
		const flags = ["--listen", http, "--media", media, "--turn", turn, "--private", inside];
		const child = spawn(binary, ["serve", "--data", this.#data, ...flags], {
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

	/** Ends the process for good. SIGKILL leaves it no time for anything. */
	async stop(signal: "SIGTERM" | "SIGKILL" = "SIGKILL"): Promise<void> {
		await this.#end(signal);
		rmSync(this.#data, { recursive: true, force: true });
	}

	/** Stops and starts on the same addresses. */
	async restart(signal: "SIGTERM" | "SIGKILL" = "SIGKILL"): Promise<void> {
		const address = (name: string) =>
			(this.urls.get(name) ?? "127.0.0.1:0").replace(/^[a-z]+:(\/\/)?/, "").replace(/[/?].*/, "");
		this.#addresses = {
			http: new URL(this.url).host,
			media: address("media-udp"),
			turn: address("turn-udp"),
			private: address("private"),
		};
		await this.#end(signal);
		this.urls.clear();
		await this.start();
	}

	/** A token as a site's backend would mint it. */
	token(user: string): string {
		const env = { ...process.env, ...this.#env };
		return execFileSync(binary, ["token", "--data", this.#data, "--user", user], {
			env,
			encoding: "utf8",
		}).trim();
	}

	async #end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
		const child = this.#process;
		if (!child || child.exitCode !== null || child.signalCode !== null) return;
		const gone = once(child, "exit");
		child.kill(signal);
		await gone;
	}
}
