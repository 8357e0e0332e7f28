/**
 * Properties that hold for whatever others send. `make test` tries some inputs, `make fuzz` tries for a while with each
 * property. A failure prints the smallest input that was found, and the seed with which it comes again.
 */
import fc from "fast-check";

/** How long to try, from the variable of the environment; 0: a few hundred inputs. */
declare const FUZZ_SECONDS: number;

export function holds<T>(input: fc.Arbitrary<T>, predicate: (input: T) => void): void {
	fc.assert(fc.property(input, predicate), { ...extent, reporter: report<[T]> });
}

/** The same of what takes turns of the event loop. */
export function holdsLater<T>(input: fc.Arbitrary<T>, predicate: (input: T) => Promise<void>): Promise<void> {
	return fc.assert(fc.asyncProperty(input, predicate), { ...extent, asyncReporter: async (d) => report(d) });
}

/** A failure as fast-check reports it. Who fuzzes reads how much was tried. */
function report<T>(details: fc.RunDetails<T>): void {
	if (details.failed) throw new Error(fc.defaultReportMessage(details), { cause: details.errorInstance });
	if (FUZZ_SECONDS > 0) console.info(`${details.numRuns} inputs`);
}

const extent =
	FUZZ_SECONDS > 0
		? { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: FUZZ_SECONDS * 1000 }
		: { numRuns: 300 };

/** How many milliseconds such a test may take. */
export const mostTime = (FUZZ_SECONDS + 30) * 1000;
