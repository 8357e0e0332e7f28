/** For tests: what a view draws, as text without a browser. */
import { nothing } from "lit/html.js";

/** The markup of a template, with event listeners and properties left out. */
export function drawn(value: unknown): string {
	if (value === nothing || value === null || value === undefined || value === false) return "";
	if (Array.isArray(value)) return value.map(drawn).join("");
	if (typeof value !== "object") return `${value}`;
	if ("strings" in value && "values" in value) {
		const { strings, values } = value as { strings: readonly string[]; values: readonly unknown[] };
		const text = strings.map((part, i) => part + bound(part, values[i])).join("");
		return text.replace(/\s+[@.?][\w-]+=(?=[\s>])/g, "").replace(/\s+/g, " ");
	}
	// A directive. Of those in use only `repeat` draws markup: its values are items, key and template.
	if ("_$litDirective$" in value) {
		const [items, , template] = (value as unknown as { values: unknown[] }).values;
		if (typeof template !== "function" || !Array.isArray(items)) return "";
		return items.map((item, i) => drawn(template(item, i))).join("");
	}
	return "";
}

/** A bound value where it stands: in quotes when it is an attribute's, nothing when it is a listener's or a property's. */
function bound(before: string, value: unknown): string {
	if (/[@.?][\w-]+=$/.test(before)) return "";
	if (/=$/.test(before)) return `"${drawn(value)}"`;
	return drawn(value);
}
