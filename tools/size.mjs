// node tools/size.mjs DIST [--json]: every file of the built page, raw and as brotli 11, and the code against its budget.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import zlib from 'node:zlib';

export const CODE_BUDGET = 250_000; // bytes of brotli for all scripts and wasm
const TEXT = /\.(html|js|mjs|css|json|svg|webmanifest|wasm)$/; // the rest is compressed already
const CODE = /\.(js|mjs|wasm)$/;

/** { files: [{ file, raw, brotli, code }], code: { raw, brotli }, total: { raw, brotli }, budget } */
export function weigh(dist) {
  const files = fs.readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => path.join(entry.parentPath ?? entry.path, entry.name))
    .sort()
    .map(full => {
      const bytes = fs.readFileSync(full);
      const options = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11, [zlib.constants.BROTLI_PARAM_LGWIN]: 22 } };
      const brotli = TEXT.test(full) ? zlib.brotliCompressSync(bytes, options).length : bytes.length;
      return { file: path.relative(dist, full).split(path.sep).join('/'), raw: bytes.length, brotli, code: CODE.test(full) };
    });
  const sum = list => ({ raw: list.reduce((n, file) => n + file.raw, 0), brotli: list.reduce((n, file) => n + file.brotli, 0) });
  return { files, code: sum(files.filter(file => file.code)), total: sum(files), budget: CODE_BUDGET };
}

/** The same as a table, without the hashes in the names. */
export function table({ files, code, total, budget }) {
  const row = (name, { raw, brotli }) => `${name.padEnd(44)}${raw.toLocaleString('en').padStart(12)}${brotli.toLocaleString('en').padStart(12)}`;
  return [
    `${'file'.padEnd(44)}${'raw'.padStart(12)}${'brotli'.padStart(12)}`,
    ...files.map(file => row(file.file.replace(/-[0-9a-f]{16}/, ''), file)),
    row('all code', code) + `   ${code.brotli <= budget ? 'within' : 'OVER'} ${budget.toLocaleString('en')}`,
    row('everything', total),
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const sizes = weigh(process.argv[2] ?? 'dist');
  console.log(process.argv.includes('--json') ? JSON.stringify(sizes, null, 1) : table(sizes));
  process.exit(sizes.code.brotli <= sizes.budget ? 0 : 1);
}
