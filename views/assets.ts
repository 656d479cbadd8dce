import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

type Asset = { body: Buffer; type: string; etag: string };

const FOLDER = path.join(import.meta.dirname, 'assets');

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.js': 'text/javascript; charset=utf-8',
};

/** Files of libraries that browsers load from us, as their packages ship them. */
const LIBRARIES = [
  'uplot/dist/uPlot.iife.min.js',
  'uplot/dist/uPlot.min.css',
  '@simplewebauthn/browser/dist/bundle/index.umd.min.js',
];

/** Styles, scripts and pictures by public path. A path names its content, so that browsers may keep it for ever. */
export const loadAssets = (): Map<string, Asset> =>
  new Map([...readAssets()].map(([, { url, ...asset }]) => [url, asset]));

/** The public path of an asset by its file name; throws for one that isn't there. */
export function createAssetUrls(): (file: string) => string {
  const assets = readAssets();
  return (file) => {
    const asset = assets.get(file);
    if (!asset) throw new Error(`There is no asset ${file}`);
    return asset.url;
  };
}

function readAssets(): Map<string, Asset & { url: string }> {
  const assets = new Map<string, Asset & { url: string }>();
  const files = [
    ...readdirSync(FOLDER).map((file) => path.join(FOLDER, file)),
    ...LIBRARIES.map(libraryFile),
  ];
  for (const filepath of files) {
    const { name, ext, base: file } = path.parse(filepath);
    const type = TYPES[ext];
    if (type === undefined) continue; // an editor's backup, say
    const body = readFileSync(filepath);
    const hash = createHash('sha256').update(body).digest('hex').slice(0, 12);
    assets.set(file, { url: `/assets/${name}-${hash}${ext}`, body, type, etag: `"${hash}"` });
  }
  return assets;
}

/** Where an installed package has the file, whether or not it lists it among its exports. */
function libraryFile(file: string): string {
  const { paths } = createRequire(import.meta.url).resolve;
  const found = (paths(file) ?? []).map((folder) => path.join(folder, file)).find((name) => existsSync(name));
  if (!found) throw new Error(`There is no file ${file} of a library`);
  return found;
}
