import { defineConfig } from "vitest/config";

export default defineConfig({
	define: { FUZZ_SECONDS: Number(process.env.FUZZ_SECONDS ?? 0) },
	// The wire samples that the Go tests read lie beside this folder.
	server: { fs: { allow: [".."] } },
	test: { include: ["*.test.ts", "{sdk,popup,demo}/**/*.test.ts"], restoreMocks: true },
});
