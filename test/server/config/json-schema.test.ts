import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { configJsonSchema } from '../../../src/server/config/json-schema.ts';

test('docs/config.schema.json is what `npm run build:schema` makes', () => {
  const published: unknown = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../../docs/config.schema.json'), 'utf8'),
  );
  assert.deepEqual(published, configJsonSchema());
});

test('the schema says of each member what it is, and that there are no others', () => {
  const undescribed: string[] = [];
  const walk = (schema: unknown, path: string): void => {
    if (typeof schema !== 'object' || schema === null) return;
    const { properties, items, ...own } = schema as Record<string, unknown>;
    if (properties !== undefined) {
      assert.equal(own.additionalProperties, false, path);
      for (const [name, member] of Object.entries(properties as object)) {
        if (!Object.hasOwn(member as object, 'description')) undescribed.push(`${path}.${name}`);
        walk(member, `${path}.${name}`);
      }
    }
    walk(items, `${path}[]`);
  };
  walk(configJsonSchema(), '');
  assert.deepEqual(undescribed, []);
});
