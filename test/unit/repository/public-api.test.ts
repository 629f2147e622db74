// Everything that `src/index.ts` exports is documented, and every type in its signatures is exported too.
import { resolve } from 'node:path';
import {
  type ClassDeclaration,
  type ExportedDeclarations,
  type JSDoc,
  type JSDocableNode,
  Node,
  Project,
  type Symbol as TypeSymbol,
} from 'ts-morph';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../../..');
const SRC = resolve(ROOT, 'src');

const project = new Project({
  tsConfigFilePath: resolve(ROOT, 'tsconfig.json'),
  skipAddingFilesFromTsConfig: true,
});
const entry = project.addSourceFileAtPath(resolve(SRC, 'index.ts'));
project.resolveSourceFileDependencies();

/** The exports that are declared in this repository, by name. */
const exported = new Map<string, ExportedDeclarations>(
  [...entry.getExportedDeclarations()].flatMap(([name, [declaration]]) =>
    declaration && isOurs(declaration) ? [[name, declaration] as const] : [],
  ),
);
const declarations = new Set<Node>(exported.values());

interface Member {
  /** Such as `BandhaOptions.log`. */
  title: string;
  node: Node;
  isOptional: boolean;
}

function isOurs(node: Node): boolean {
  return node.getSourceFile().getFilePath().startsWith(`${SRC}/`);
}

/** Documentation is on the statement that declares a variable. */
function getDocs(node: Node): JSDoc[] {
  const documented = Node.isVariableDeclaration(node) ? node.getVariableStatement() : node;
  return documented !== undefined && Node.isJSDocable(documented)
    ? (documented as JSDocableNode).getJsDocs()
    : [];
}

const isDocumented = (node: Node) => getDocs(node).some((doc) => doc.getDescription().trim() !== '');
const getTags = (node: Node) => getDocs(node).flatMap((doc) => doc.getTags().map((tag) => tag.getTagName()));

/** The members of an interface, an object type or a class; inherited ones included, if they are declared here. */
function findMembers(name: string, node: Node): Member[] {
  const isObject =
    Node.isInterfaceDeclaration(node) ||
    (Node.isTypeAliasDeclaration(node) && Node.isTypeLiteral(node.getTypeNode())) ||
    Node.isClassDeclaration(node);
  if (!isObject) return [];
  return node
    .getType()
    .getProperties()
    .flatMap((property: TypeSymbol) => {
      const [declaration] = property.getDeclarations();
      if (declaration === undefined || !isOurs(declaration)) return [];
      return [
        { title: `${name}.${property.getName()}`, node: declaration, isOptional: property.isOptional() },
      ];
    });
}

/** The parts of a declaration that a caller's types depend on: everything but bodies, values and private members. */
function findSignatureNodes(node: Node): Node[] {
  if (Node.isFunctionDeclaration(node))
    return [...node.getParameters(), node.getReturnTypeNode()].filter((one) => one !== undefined);
  if (Node.isVariableDeclaration(node)) return [node.getTypeNode()].filter((one) => one !== undefined);
  if (Node.isClassDeclaration(node)) return findClassNodes(node);
  return [node];
}

function findClassNodes(node: ClassDeclaration): Node[] {
  const members = node
    .getMembers()
    .filter((member) => !('getScope' in member) || member.getScope() === 'public');
  return members
    .flatMap((member) =>
      Node.isParametered(member)
        ? [...member.getParameters(), ...(Node.isReturnTyped(member) ? [member.getReturnTypeNode()] : [])]
        : Node.isTyped(member)
          ? [member.getTypeNode()]
          : [],
    )
    .filter((one) => one !== undefined);
}

/** The names of this repository's types that `node` mentions and nothing exports. */
function findUnexportedTypes(node: Node): string[] {
  return findSignatureNodes(node)
    .flatMap((part) => [part, ...part.getDescendants()])
    .flatMap((part): Node[] => {
      if (Node.isTypeReference(part)) return [part.getTypeName()];
      return Node.isTypeQuery(part) ? [part.getExprName()] : [];
    })
    .flatMap((name) => {
      const symbol = name.getSymbol();
      const [declaration] = (symbol?.getAliasedSymbol() ?? symbol)?.getDeclarations() ?? [];
      if (declaration === undefined || !isOurs(declaration) || Node.isTypeParameterDeclaration(declaration))
        return [];
      return declarations.has(declaration) ? [] : [name.getText()];
    });
}

const members = [...exported].flatMap(([name, node]) => findMembers(name, node));

describe('the public API', () => {
  it('the test finds functions, classes, constants and types', () => {
    expect([...exported.keys()]).toEqual(
      expect.arrayContaining(['createBandha', 'AuthError', 'directiveTypeDefs', 'Accounts']),
    );
    expect(members.map(({ title }) => title)).toEqual(
      expect.arrayContaining(['Bandha.accounts', 'BandhaOptions.issuer', 'Store.createUser']),
    );
  });

  it('every export has a doc comment', () => {
    expect([...exported].filter(([, node]) => !isDocumented(node)).map(([name]) => name)).toEqual([]);
  });

  it('every member of an exported type has a doc comment', () => {
    expect(members.filter(({ node }) => !isDocumented(node)).map(({ title }) => title)).toEqual([]);
  });

  it('every exported function has an example', () => {
    const functions = [...exported].filter(([, node]) => Node.isFunctionDeclaration(node));
    expect(functions.length).toBeGreaterThan(5);
    expect(functions.filter(([, node]) => !getTags(node).includes('example')).map(([name]) => name)).toEqual(
      [],
    );
  });

  it('every option has a default', () => {
    const options = members.filter(({ title, isOptional }) => isOptional && /^\w+Options\./.test(title));
    expect(options.length).toBeGreaterThan(30);
    expect(
      options.filter(({ node }) => !getTags(node).includes('default')).map(({ title }) => title),
    ).toEqual([]);
  });

  it('every type in a signature is exported', () => {
    const missing = [...exported].flatMap(([name, node]) =>
      findUnexportedTypes(node).map((type) => `${type} (${name})`),
    );
    expect(missing).toEqual([]);
  });

  it('every exported function has an explicit result type, and no type is inferred', () => {
    const inferred = [...exported].filter(([, node]) => {
      if (Node.isFunctionDeclaration(node)) return node.getReturnTypeNode() === undefined;
      return Node.isTypeAliasDeclaration(node) && /\b(ReturnType|Parameters)</.test(node.getText());
    });
    expect(inferred.map(([name]) => name)).toEqual([]);
  });
});
