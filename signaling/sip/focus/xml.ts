/** Just enough to write XML: elements with attributes, and escaping that lets nothing through. */

export type XmlContent = string | readonly (string | undefined)[] | undefined;

/** Not allowed in XML 1.0 in any form (its production 2, Char). */
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/** Text for element content or an attribute. */
export function escapeXml(text: string): string {
  return text
    .replace(FORBIDDEN, '\ufffd')
    .replace(/[&<>"'\t\n\r]/g, (character) => ENTITIES[character] ?? '');
}

/** An element of finished XML; attributes without a value are left out, as are undefined children. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | undefined>>,
  children: XmlContent = undefined,
): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${escapeXml(value ?? '')}"`)
    .join('');
  const content = typeof children === 'string' ? children : (children ?? []).join('');

  return content === '' ? `<${name}${written}/>` : `<${name}${written}>${content}</${name}>`;
}

/** An element that holds text; undefined when there is none. */
export function textElement(name: string, text: string | undefined): string | undefined {
  return text === undefined ? undefined : element(name, {}, escapeXml(text));
}
