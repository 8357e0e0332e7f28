import { defineConfig } from "vitest/config";

export default defineConfig({
	// The wire samples that the Go tests read lie beside this folder.
	server: { fs: { allow: [".."] } },
	test: { include: ["*.test.ts", "{sdk,popup,demo}/**/*.test.ts"], restoreMocks: true },
});
