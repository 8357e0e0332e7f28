/** Web Locks as functions that give back what they took. */

/** Takes a lock and resolves with what releases it. Waits until `signal` aborts. Without Web Locks it is had at once. */
export function acquire(
	locks: LockManager | undefined,
	name: string,
	signal: AbortSignal,
): Promise<() => void> {
	return new Promise((resolve, reject) => {
		if (!locks) return resolve(() => {});
		locks.request(name, { signal }, () => new Promise<void>((release) => resolve(release))).catch(reject);
	});
}

/** Takes a lock if nobody has it; undefined when somebody has. */
export function acquireIfFree(locks: LockManager, name: string): Promise<(() => void) | undefined> {
	return new Promise((resolve, reject) => {
		const hold = (lock: Lock | null) =>
			lock ? new Promise<void>((release) => resolve(release)) : resolve(undefined);
		locks.request(name, { ifAvailable: true }, hold).catch(reject);
	});
}
