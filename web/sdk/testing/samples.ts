/** The wire samples that the Go tests read too. */
const files = import.meta.glob("../../../wire/testdata/*.json", {
	eager: true,
	query: "?raw",
	import: "default",
}) as Record<string, string>;

/** By file name without its ending. Parsed anew at each call, so that a test may change what it gets. */
export function sample<T>(name: string): T {
	const text = files[`../../../wire/testdata/${name}.json`];
	if (text === undefined) throw new Error(`no sample ${name}`);
	return JSON.parse(text) as T;
}

export const samples = (prefix: string): string[] =>
	Object.keys(files)
		.map((path) => path.slice(path.lastIndexOf("/") + 1, -".json".length))
		.filter((name) => name.startsWith(prefix));
