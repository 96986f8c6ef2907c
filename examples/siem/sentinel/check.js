// Parses and binds the KQL of azuredeploy.json with Microsoft's own language service, against the table and the stream
// that the template declares: unknown columns, functions and types are errors.
//   npm install --no-save @kusto/language-service-next && node check.js
"use strict";
const fs = require("fs");
const path = require("path");
const file = process.argv[2] || path.join(__dirname, "azuredeploy.json");

try {
  const from = (name) =>
    require.resolve("@kusto/language-service-next/" + name, { paths: [process.cwd(), __dirname].concat((process.env.NODE_PATH || "").split(path.delimiter).filter(Boolean)) });
  require(from("bridge.min.js"));
  require(from("Kusto.Language.Bridge.min.js"));
} catch (error) {
  console.log("SKIPPED: @kusto/language-service-next is not installed");
  process.exit(0);
}

const K = globalThis.Kusto.Language;
const template = JSON.parse(fs.readFileSync(file, "utf8"));
const of = (type) => template.resources.filter((resource) => resource.type.endsWith(type));
const table = (name, columns) =>
  K.Symbols.TableSymbol.From("(" + columns.map((c) => "['" + c.name + "']: " + c.type).join(", ") + ")").WithName(name);
const schema = of("/tables")[0].properties.schema;
const rule = of("/dataCollectionRules")[0].properties;
const stream = Object.values(rule.streamDeclarations)[0].columns;

function check(what, query, tables) {
  const database = new K.Symbols.DatabaseSymbol.$ctor3("workspace", null, tables, false);
  const globals = K.GlobalState.Default.WithDatabase(database);
  const code = K.KustoCode.ParseAndAnalyze(query, globals);
  const errors = code.GetDiagnostics();
  let bad = 0;
  for (let i = 0; i < errors.Count; i++) {
    const error = errors.getItem(i);
    console.log(`${what}: ${error.Severity}: ${error.Message} at "${query.substr(error.Start, 40)}"`);
    bad += 1;
  }
  const columns = code.ResultType ? code.ResultType.Columns : null;
  const names = [];
  for (let i = 0; columns && i < columns.Count; i++) names.push(columns.getItem(i).Name + ":" + columns.getItem(i).Type.Name);
  return { bad, names };
}

let bad = 0;
const flow = check("transformKql", rule.dataFlows[0].transformKql, [table("source", stream)]);
bad += flow.bad;
const wanted = schema.columns.map((c) => c.name + ":" + c.type);
for (const name of wanted) if (!flow.names.includes(name)) (bad += 1), console.log(`transformKql gives no ${name}`);
for (const name of flow.names) if (!wanted.includes(name)) (bad += 1), console.log(`the table has no ${name}`);
for (const alert of of("/alertRules")) {
  const p = alert.properties;
  const result = check(p.displayName, p.query, [table(schema.name, schema.columns)]);
  bad += result.bad;
  const has = result.names.map((name) => name.split(":")[0]);
  const used = [
    ...Object.values(p.customDetails),
    ...p.entityMappings.flatMap((e) => e.fieldMappings.map((f) => f.columnName)),
    p.alertDetailsOverride.alertSeverityColumnName,
    ...p.alertDetailsOverride.alertDynamicProperties.map((d) => d.value),
    ...[...(p.alertDetailsOverride.alertDisplayNameFormat + p.alertDetailsOverride.alertDescriptionFormat).matchAll(/{{(\w+)}}/g)].map((m) => m[1]),
  ];
  for (const column of used) if (!has.includes(column)) (bad += 1), console.log(`${p.displayName}: no column ${column}`);
  console.log(`${p.displayName}: ${has.length} columns, ${used.length} used`);
}
console.log(bad ? `${bad} problems` : "ok");
process.exit(bad ? 1 : 0);
