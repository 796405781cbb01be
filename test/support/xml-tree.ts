/** A small XML reader for tests: elements, attributes and text, no namespaces resolved. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

export function readXml(text: string): XmlElement {
  const body = text.replace(/^<\?xml[^>]*\?>/, '').replace(/<!--[\s\S]*?-->/g, '');
  const token = /<(\/)?([\w:-]+)((?:\s+[\w:-]+="[^"]*")*)\s*(\/)?>|([^<]+)/g;
  const root = { name: '', attributes: {}, children: [] as XmlElement[], text: '' };
  const open = [root];
  for (const [, closes, name = '', attributes = '', empty, content] of body.matchAll(token)) {
    const top = open.at(-1)!;
    if (content !== undefined) {
      top.text += unescape(content);
    } else if (closes !== undefined) {
      open.pop();
    } else {
      const made = { name, attributes: readAttributes(attributes), children: [], text: '' };
      top.children.push(made);
      if (empty === undefined) open.push(made);
    }
  }
  const [first] = root.children;
  if (open.length !== 1 || first === undefined) throw new Error(`not well-formed: ${text}`);

  return first;
}

export function child(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((each) => each.name === name);
}

function readAttributes(text: string): Record<string, string> {
  const pairs = [...text.matchAll(/([\w:-]+)="([^"]*)"/g)];

  return Object.fromEntries(pairs.map(([, name = '', value = '']) => [name, unescape(value)]));
}

const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};

function unescape(text: string): string {
  return text.replace(/&(#\d+|\w+);/g, (_, entity: string) =>
    entity.startsWith('#')
      ? String.fromCodePoint(Number(entity.slice(1)))
      : (NAMED[entity] ?? `&${entity};`),
  );
}
