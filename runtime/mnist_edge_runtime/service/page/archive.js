// Write PNG files and ZIP archives.
const CRCS = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});
const crc32 = data => ~data.reduce((crc, byte) => CRCS[(crc ^ byte) & 255] ^ (crc >>> 8), -1) >>> 0;
const joined = async (...parts) => new Uint8Array(await new Blob(parts).arrayBuffer());

// Numbers one after the other, each with its size in bytes.
function packed(isLittle, ...numbers) {
  const view = new DataView(new ArrayBuffer(numbers.reduce((sum, [size]) => sum + size, 0)));
  let at = 0;
  for (const [size, value] of numbers) {
    view[`setUint${8 * size}`](at, value, isLittle);
    at += size;
  }
  return new Uint8Array(view.buffer);
}

// Grey levels as a PNG file, which is decoded to just these.
async function png(levels, width, height) {
  const rows = new Uint8Array((width + 1) * height), text = new TextEncoder(); // each row begins with its filter: none
  for (let y = 0; y < height; y++) rows.set(levels.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  const chunk = async (kind, data) => {
    const body = await joined(text.encode(kind), data);
    return joined(packed(false, [4, data.length]), body, packed(false, [4, crc32(body)]));
  };
  const head = packed(false, [4, width], [4, height], [1, 8], [1, 0], [1, 0], [1, 0], [1, 0]);
  const data = await joined(await new Response(new Blob([rows]).stream().pipeThrough(new CompressionStream('deflate'))).blob());
  return joined(Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10), await chunk('IHDR', head), await chunk('IDAT', data), await chunk('IEND', new Uint8Array(0)));
}

// Files with their names as a ZIP archive, stored as they are.
function zip(files) {
  const now = new Date(), parts = [], index = [], [U16, U32] = [2, 4].map(size => value => [size, value]);
  const time = (now.getHours() << 11) | (now.getMinutes() << 5) | (now.getSeconds() >> 1);
  const date = ((now.getFullYear() - 1980) << 9) | ((now.getMonth() + 1) << 5) | now.getDate();
  let at = 0;
  for (const { name, data } of files) {
    const encoded = new TextEncoder().encode(name), size = data.length;
    const common = [U16(20), U16(0x800), U16(0), U16(time), U16(date), U32(crc32(data)), U32(size), U32(size), U16(encoded.length), U16(0)]; // 0x800: the name is UTF-8
    const head = packed(true, U32(0x04034b50), ...common);
    parts.push(head, encoded, data);
    index.push(packed(true, U32(0x02014b50), U16(20), ...common, U16(0), U16(0), U16(0), U32(0), U32(at)), encoded);
    at += head.length + encoded.length + size;
  }
  const size = index.reduce((sum, each) => sum + each.length, 0), count = U16(files.length);
  return new Blob([...parts, ...index, packed(true, U32(0x06054b50), U16(0), U16(0), count, count, U32(size), U32(at), U16(0))], { type: 'application/zip' });
}
