import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { builtinModules, createRequire } from 'node:module'
import { join } from 'node:path'
import type { Options } from 'tsup'

type Plugin = NonNullable<Options['esbuildPlugins']>[number]

/**
 * tsup's options for `dist/<name>.js`: a copy of a CommonJS dependency as an ES module.
 *
 * When esbuild writes an ES module, it turns a `require` of Node's own modules into an error at start. If an indirect
 * dependency contains such a `require`, the application stops. Because of the `imports` in our package.json, bundlers
 * use this copy, and Node uses the installed dependency.
 */
export function bundlerCopy(name: string): Options {
  return {
    entry: { [name]: createRequire(join(process.cwd(), 'package.json')).resolve(name) },
    noExternal: [/./],
    format: ['esm'],
    target: 'node22',
    minify: true,
    removeNodeProtocol: false,
    esbuildPlugins: [importedBuiltins(), withoutEncodings(), withLicences(name)],
  }
}

/** Turns each `require` of Node's own modules into an `import`. */
function importedBuiltins(): Plugin {
  return {
    name: 'imported-builtins',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: new RegExp(`^(node:)?(${builtinModules.join('|')})$`) }, ({ path, kind }) =>
        kind === 'require-call' ? { path, namespace: 'builtin' } : { path, external: true },
      )
      onLoad({ filter: /./, namespace: 'builtin' }, ({ path }) => ({ contents: `export * from '${path}'` }))
    },
  }
}

/**
 * Omits iconv-lite, whose tables take 300 kB. raw-body decodes only if it gets an encoding, and core never passes an
 * encoding.
 */
function withoutEncodings(): Plugin {
  return {
    name: 'without-encodings',
    setup({ onLoad }) {
      onLoad({ filter: /[\\/]iconv-lite[\\/]lib[\\/]index\.js$/ }, () => ({
        contents: 'module.exports = {}',
      }))
    },
  }
}

/** Writes the licences of the copied packages into a file next to the copy. */
function withLicences(name: string): Plugin {
  return {
    name: 'with-licences',
    setup({ initialOptions, onEnd }) {
      initialOptions.metafile = true
      onEnd(async ({ metafile }) => {
        const folders = Object.keys(metafile?.inputs ?? {}).flatMap(
          (path) => /.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? [],
        )
        const licences = [...new Set(folders)]
          .sort()
          .map((folder) => readFile(join(folder, 'LICENSE'), 'utf8'))
        await mkdir('dist', { recursive: true })
        await writeFile(join('dist', `${name}.LICENSE.txt`), (await Promise.all(licences)).join('\n'))
      })
    },
  }
}
