import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A certificate of its own making for 127.0.0.1, which the browsers of the tests accept. Its files are gone when it is disposed of. */
export class Certificate implements Disposable {
	readonly #folder = mkdtempSync(join(tmpdir(), "carillon-certificate-"));
	/** As a server takes it. */
	readonly env = {
		CARILLON_HTTP_CERT: join(this.#folder, "cert.pem"),
		CARILLON_HTTP_KEY: join(this.#folder, "key.pem"),
	};

	constructor() {
		const go = (...args: string[]) =>
			execFileSync("go", args, { cwd: this.#folder, encoding: "utf8", stdio: "pipe" }).trim();
		// Go comes with a program that makes a certificate.
		const program = join(go("env", "GOROOT"), "src/crypto/tls/generate_cert.go");
		go("run", program, "-host", "127.0.0.1", "-ecdsa-curve", "P256");
	}

	[Symbol.dispose](): void {
		rmSync(this.#folder, { recursive: true, force: true });
	}
}
