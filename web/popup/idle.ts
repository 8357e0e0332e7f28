/** Runs something when the page has nothing better to do, a second from now at the latest. */
export function whenIdle(run: () => void): void {
	if ("requestIdleCallback" in globalThis) requestIdleCallback(run, { timeout: 1000 });
	else setTimeout(run, 200);
}
