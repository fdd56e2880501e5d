// Writes the types of a JSON Schema, which is read from the standard input, as json-schema-to-typescript sees them.
import { readFileSync } from 'node:fs';
import { compile } from 'json-schema-to-typescript';

const KINDS = ['$ref', 'allOf', 'anyOf', 'const', 'enum', 'oneOf', 'properties', 'type'];

/** It takes a schema that allows anything for an object. */
function marked(schema) {
  if (typeof schema !== 'object') return schema;
  const each = (schemas) => Object.fromEntries(Object.entries(schemas).map(([key, one]) => [key, marked(one)]));
  const inner = Object.entries(schema).map(([key, value]) => {
    if (['properties', 'definitions'].includes(key)) return [key, each(value)];
    if (['allOf', 'anyOf', 'oneOf'].includes(key)) return [key, value.map(marked)];
    if (key === 'items') return [key, Array.isArray(value) ? value.map(marked) : marked(value)];
    return [key, key === 'additionalProperties' ? marked(value) : value];
  });
  const isAnything = !KINDS.some((kind) => kind in schema);
  return { ...Object.fromEntries(inner), ...(isAnything && { tsType: 'unknown' }) };
}

// What pydantic's models ignore is none of their properties, and the length of a list is no type here.
const options = { additionalProperties: false, ignoreMinAndMaxItems: true, format: false, bannerComment: '' };
console.log(await compile(marked(JSON.parse(readFileSync(0, 'utf8'))), 'Judged', options));
