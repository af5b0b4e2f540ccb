/**
 * What is kept for an object without being a part of it.
 *
 * @module
 */

/** Of each key one value: made when it is first asked for, and let go with the key. */
export function onePer<Key extends object, Value extends object>(
  make: (key: Key) => Value,
): (key: Key) => Value {
  const values = new WeakMap<Key, Value>();
  return (key) => {
    let value = values.get(key);
    if (value === undefined) {
      value = make(key);
      values.set(key, value);
    }
    return value;
  };
}
