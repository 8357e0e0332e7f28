// Builds everything a browser gets into dist/, which is committed, so that Go users need no Node.
// The same input gives the same bytes. `node build.mjs --check` builds nothing: it prints the
// gzip sizes of what is in dist/ and fails over budget or when dist/ is not what the sources give.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from "node:zlib";
import { build, transformSync } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");

// What the popup loads later, by the name the loader knows it. Each is an ES module that shares chunks with the others.
const parts = {
	core: "popup/parts/core.ts", // the connection: when idle, for a known user
	chat: "popup/parts/chat.ts", // stores and controller: with the panel, or when something happens
	panel: "popup/parts/panel.ts", // what the visitor sees: on hover, focus or click
	list: "popup/parts/list.ts", // the list of conversations: when it is shown
	call: "popup/parts/call.ts", // calls: on a ring, near a call button, for a stored leg
};
// Modules for pages without the popup, which share nothing with it.
const pageModules = { sdk: "sdk/index.ts", demo: "demo/demo.ts" };
const pages = { "index.html": "demo/index.html", "demo.html": "demo/demo.html" };
const styles = { shop: "demo/shop.css" };
const images = { icon: "demo/icon.svg" };

// At most this many bytes of gzip come with each of these, beside what is there already.
const chat = ["core", "chat", "panel"];
const budgets = [
	{ of: "connection", parts: ["core"], most: 12 * 1024 }, // what a known user's idle page loads
	{ of: "chat", parts: chat, most: 48 * 1024 }, // to read and to write: what is wanted later is a part of its own
	{ of: "list", parts: ["list"], beside: chat, most: 5 * 1024 }, // with Lit's elements, which all views share
	{ of: "call", parts: [...chat, "call"], beside: chat, later: true, most: 45 * 1024 }, // with all that it fetches by itself
];
const loaderMost = 6 * 1024;

const common = {
	absWorkingDir: here,
	bundle: true,
	minify: true,
	write: false,
	legalComments: "none",
	charset: "utf8",
	// AbortSignal.any (Firefox 124, Safari 17.4) and Promise.withResolvers (Chrome 119) are not rewritten by a bundler.
	target: ["chrome119", "firefox124", "safari17.4"],
	logLevel: "warning",
};

// Styles are written for readers, as the text of css`…`, which a bundler leaves as it is.
const styleSheets = {
	name: "style sheets",
	setup({ onLoad }) {
		onLoad({ filter: /popup.styles.\w+\.ts$/ }, ({ path }) => {
			const short = (_, text) => {
				const { code } = transformSync(text, { loader: "css", minify: true, target: common.target });
				return `css\`${code.trim().replaceAll("\\", "\\\\")}\``;
			};
			return { contents: readFileSync(path, "utf8").replace(/\bcss`([^`$]*)`/g, short), loader: "ts" };
		});
	},
};

const files = new Map(); // path in dist → Buffer
const closure = {}; // part or page → the asset files it needs, itself first
const later = {}; // part → the files that it fetches by itself, and those that they need

async function modules(entryPoints) {
	const result = await build({
		...common,
		entryPoints,
		outdir: dist,
		entryNames: "assets/[name]-[hash]",
		chunkNames: "assets/chunk-[hash]",
		format: "esm",
		splitting: true,
		metafile: true,
		plugins: [styleSheets],
	});
	for (const file of result.outputFiles) files.set(relative(file.path), Buffer.from(file.contents));
	const outputs = Object.fromEntries(
		Object.entries(result.metafile.outputs).map(([path, out]) => [relative(join(here, path)), out]),
	);
	const entries = Object.values(entryPoints);
	const reach = (path, seen, kinds) => {
		seen.add(path);
		for (const { path: to, kind, external } of outputs[path].imports) {
			const next = relative(join(here, to));
			if (!kinds.includes(kind) || external || seen.has(next)) continue;
			// Other parts come for reasons of their own, and texts of other languages for who speaks them.
			const entry = kind === "dynamic-import" ? outputs[next].entryPoint : "";
			if (!entries.includes(entry) && !entry.startsWith("popup/strings/")) reach(next, seen, kinds);
		}
		return seen;
	};
	for (const [name, source] of Object.entries(entryPoints)) {
		const file = Object.keys(outputs).find((path) => outputs[path].entryPoint === source);
		closure[name] = [...reach(file, new Set(), ["import-statement"])];
		later[name] = [...reach(file, new Set(), ["import-statement", "dynamic-import"])];
	}
}

// The loader is a classic script, so that it works pasted anywhere; it imports the modules by name.
async function loader() {
	const result = await build({
		...common,
		entryPoints: ["popup/loader.ts"],
		outfile: join(dist, "popup.js"),
		format: "iife",
		define: {
			PARTS: JSON.stringify(Object.fromEntries(Object.keys(parts).map((name) => [name, closure[name]]))),
		},
	});
	files.set("popup.js", Buffer.from(result.outputFiles[0].contents));
	files.set("sdk.js", Buffer.from(`export*from"./${closure.sdk[0]}";\n`));
}

async function documents() {
	const names = {};
	for (const [name, source] of Object.entries(styles)) {
		const result = await build({ ...common, entryPoints: [source], outfile: join(dist, `${name}.css`) });
		names[`${name}.css`] = hashed(name, "css", Buffer.from(result.outputFiles[0].contents));
	}
	for (const [name, source] of Object.entries(images))
		names[`${name}.svg`] = hashed(name, "svg", readFileSync(join(here, source)));
	names["demo.js"] = closure.demo[0];
	for (const [page, source] of Object.entries(pages)) {
		const html = readFileSync(join(here, source), "utf8").replace(/\{\{([\w.]+)\}\}/g, (_, name) => {
			if (!names[name]) throw new Error(`${source}: nothing is named ${name}`);
			return `/${names[name]}`;
		});
		files.set(page, Buffer.from(html));
	}
}

function hashed(name, extension, content) {
	const hash = createHash("sha256").update(content).digest("hex").slice(0, 8).toUpperCase();
	const path = `assets/${name}-${hash}.${extension}`;
	files.set(path, content);
	return path;
}

function relative(path) {
	return path.slice(dist.length + 1).replaceAll("\\", "/");
}

const codings = {
	br: {
		pack: (b) => brotliCompressSync(b, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
		unpack: brotliDecompressSync,
	},
	gz: { pack: (b) => gzipSync(b, { level: 9 }), unpack: gunzipSync },
};

// Another Node may compress to other bytes. A compressed file that still holds the same content
// stays as it is, so that dist/ differs only when the page does.
function current(path, content, unpack) {
	try {
		return unpack(readFileSync(path)).equals(content);
	} catch {
		return false;
	}
}

function write() {
	const kept = new Set();
	for (const [name, content] of files) {
		const path = join(dist, name);
		mkdirSync(dirname(path), { recursive: true });
		if (!current(path, content, (b) => b)) writeFileSync(path, content);
		kept.add(path);
		for (const [suffix, { pack, unpack }] of Object.entries(codings)) {
			const packed = `${path}.${suffix}`;
			if (!current(packed, content, unpack)) writeFileSync(packed, pack(content));
			kept.add(packed);
		}
	}
	for (const path of present()) if (!kept.has(path)) rmSync(path);
}

function present() {
	if (!existsSync(dist)) return [];
	return readdirSync(dist, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

function stale() {
	const expected = new Map();
	for (const [name, content] of files) {
		expected.set(join(dist, name), (path) => current(path, content, (b) => b));
		for (const [suffix, { unpack }] of Object.entries(codings))
			expected.set(`${join(dist, name)}.${suffix}`, (path) => current(path, content, unpack));
	}
	const wrong = [...expected].filter(([path, good]) => !good(path)).map(([path]) => path);
	return [...wrong, ...present().filter((path) => !expected.has(path))].map(relative);
}

function sizes() {
	const weigh = (names) =>
		[...names].reduce((sum, name) => sum + gzipSync(files.get(name), { level: 9 }).length, 0);
	const rows = budgets.map(({ of, parts, beside = [], later: all, most }) => {
		const there = beside.flatMap((name) => closure[name]);
		const wanted = parts.flatMap((name) => (all ? later : closure)[name]);
		return { of, most, size: weigh(new Set(wanted.filter((name) => !there.includes(name)))) };
	});
	let over = false;
	for (const { of, most, size } of [{ of: "loader", most: loaderMost, size: weigh(["popup.js"]) }, ...rows]) {
		over ||= size > most;
		const verdict = size > most ? "OVER BUDGET" : "ok";
		console.log(`${of.padEnd(10)} ${String(size).padStart(6)} of ${most} bytes gzip  ${verdict}`);
	}
	return over;
}

await modules(parts);
await modules(pageModules);
await loader();
await documents();
const checking = process.argv.includes("--check");
if (!checking) write();
let failed = sizes();
if (checking) {
	const differing = stale();
	for (const name of differing)
		console.error(`dist/${name} is not what the sources give: run npm run build and commit dist/`);
	failed ||= differing.length > 0;
}
if (failed) process.exit(1);
