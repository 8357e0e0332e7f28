import { execFileSync } from "node:child_process";
import { binary, root } from "./server.ts";

/** Builds the binary that the tests run, once. */
export default function build(): void {
	execFileSync("go", ["build", "-o", binary, "."], { cwd: root, stdio: "inherit" });
}
