// Builds everything a browser gets into dist/, which is committed, so that Go users need no Node.
// The same input gives the same bytes. `node build.mjs --check` builds nothing: it prints the
// gzip sizes of what is in dist/ and fails over budget or when dist/ is not what the sources give.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");

// What loads later, by the name the loader knows it. Each is an ES module that shares chunks with the others.
const parts = {
	core: "popup/parts/core.ts", // the connection: when idle, for a known user
	chat: "popup/parts/chat.ts", // stores and controller: with the panel, or when something happens
	panel: "popup/parts/panel.ts", // what the visitor sees: on hover, focus or click
	call: "popup/parts/call.ts", // media and the call view: on a ring, a click on a call button, a stored leg
	sdk: "sdk/index.ts",
	demo: "demo/demo.ts",
};
const pages = { "index.html": "demo/index.html", "demo.html": "demo/demo.html" };
const styles = { shop: "demo/shop.css" };
const images = { icon: "demo/icon.svg" };

// At most this many bytes of gzip.
const budgets = { loader: 6144, connection: 12 * 1024, chat: 60 * 1024, call: 45 * 1024 };

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

const files = new Map(); // path in dist → Buffer
const closure = {}; // part → the asset files it needs, itself first
let callFiles = []; // what a first call may fetch, the chat's own files apart

async function modules() {
	const result = await build({
		...common,
		entryPoints: parts,
		outdir: dist,
		entryNames: "assets/[name]-[hash]",
		chunkNames: "assets/chunk-[hash]",
		format: "esm",
		splitting: true,
		metafile: true,
	});
	for (const file of result.outputFiles) files.set(relative(file.path), Buffer.from(file.contents));
	const outputs = Object.fromEntries(
		Object.entries(result.metafile.outputs).map(([path, out]) => [relative(join(here, path)), out]),
	);
	const reach = (path, seen, kinds) => {
		// Texts of other languages are fetched by who speaks them, not by a call.
		if (seen.has(path) || outputs[path].entryPoint?.startsWith("popup/strings/")) return seen;
		seen.add(path);
		for (const next of outputs[path].imports)
			if (kinds.includes(next.kind) && !next.external) reach(relative(join(here, next.path)), seen, kinds);
		return seen;
	};
	const entryOf = (source) => Object.keys(outputs).find((path) => outputs[path].entryPoint === source);
	for (const [name, source] of Object.entries(parts)) {
		closure[name] = [...reach(entryOf(source), new Set(), ["import-statement"])];
	}
	const all = new Set();
	for (const name of ["core", "chat", "panel", "call"])
		reach(entryOf(parts[name]), all, ["import-statement", "dynamic-import"]);
	const chat = chatFiles();
	callFiles = [...all].filter((path) => !chat.has(path));
}

/** All that a conversation without a call needs. */
function chatFiles() {
	return new Set([...closure.core, ...closure.chat, ...closure.panel]);
}

// The loader is a classic script, so that it works pasted anywhere; it imports the modules by name.
async function loader() {
	const result = await build({
		...common,
		entryPoints: ["popup/loader.ts"],
		outfile: join(dist, "popup.js"),
		format: "iife",
		define: {
			PARTS: JSON.stringify(
				Object.fromEntries(["core", "chat", "panel", "call"].map((name) => [name, closure[name]])),
			),
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
	const rows = {
		loader: weigh(["popup.js"]),
		connection: weigh(closure.core), // part of chat: what a known user's idle page loads
		chat: weigh(chatFiles()),
		call: weigh(callFiles),
	};
	let over = false;
	for (const [name, size] of Object.entries(rows)) {
		const verdict = size > budgets[name] ? "OVER BUDGET" : "ok";
		over ||= size > budgets[name];
		console.log(`${name.padEnd(10)} ${String(size).padStart(6)} of ${budgets[name]} bytes gzip  ${verdict}`);
	}
	return over;
}

await modules();
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
