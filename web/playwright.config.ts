import { defineConfig } from "@playwright/test";

// Real browsers against the real binary, on loopback. Two workers, each with a browser and a server of
// its own: one alone often waits, for a clock of the call or for media that begins. More of them
// would wait for the processor, since a call is four media pipelines. To look at a test that fails:
// npx playwright test -g "its name" --trace on
export default defineConfig({
	testDir: "e2e",
	workers: 2,
	fullyParallel: true,
	timeout: 90_000,
	expect: { timeout: 20_000 },
	globalSetup: "./e2e/build.ts",
	use: {
		actionTimeout: 20_000,
		screenshot: "only-on-failure",
		launchOptions: {
			executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
			ignoreDefaultArgs: ["--disable-back-forward-cache"],
			args: [
				"--headless=new",
				"--no-sandbox",
				"--disable-gpu",
				"--use-fake-device-for-media-stream=device-count=3",
				"--use-fake-ui-for-media-stream",
				"--allow-loopback-in-peer-connection",
				"--disable-background-networking",
				"--disable-component-update",
				"--disable-sync",
				"--no-first-run",
				"--ignore-certificate-errors",
				"--host-resolver-rules=MAP *.test 127.0.0.1",
			],
		},
	},
});
