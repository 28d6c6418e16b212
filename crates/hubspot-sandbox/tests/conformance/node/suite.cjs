// HubSpot's Node SDK, unmodified but for the base path, against the sandbox.
"use strict";
const assert = require("node:assert/strict");
const { after, before, describe, it } = require("node:test");
const { startSandbox } = require("./sandbox.cjs");

let sandbox;
let hubspot;
let crm;
let numbers = 0;

before(async () => {
  sandbox = await startSandbox("--no-limits");
  hubspot = sandbox.client();
  crm = hubspot.crm;
});
after(() => sandbox?.stop());

// An address that no other test uses.
const address = (name = "writer") => `${name}${++numbers}@example.com`;
const newContact = (properties = {}) =>
  crm.contacts.basicApi.create({ properties: { email: address(), ...properties }, associations: [] });
const newObject = (type, properties) => crm.objects.basicApi.create(type, { properties, associations: [] });

// The error of a call that must be refused with `status`.
async function refused(status, call) {
  let answer;
  try {
    answer = await call();
  } catch (error) {
    assert.equal(error.code, status, `${error.message}`);
    return error;
  }
  assert.fail(`expected ${status}, got ${JSON.stringify(answer)}`);
}

describe("records", () => {
  it("are created and read back", async () => {
    const email = address("Mixed.Case");
    const made = await newContact({ email, firstname: "Grace" });
    assert.match(made.id, /^\d+$/);
    assert.ok(made.createdAt instanceof Date);
    const read = await crm.contacts.basicApi.getById(made.id, ["email", "firstname", "phone"]);
    assert.equal(read.properties.email, email.toLowerCase());
    assert.equal(read.properties.phone, null);
    assert.equal(read.properties.hs_object_id, made.id);
    assert.equal(read.createdAt.getTime(), made.createdAt.getTime());
  });

  it("are found by e-mail", async () => {
    const email = address();
    const made = await newContact({ email });
    const read = await crm.contacts.basicApi.getById(email, undefined, undefined, undefined, false, "email");
    assert.equal(read.id, made.id);
  });

  it("are updated and keep their history", async () => {
    const made = await newContact({ firstname: "One" });
    await crm.contacts.basicApi.update(made.id, { properties: { firstname: "Two" } });
    const read = await crm.contacts.basicApi.getById(made.id, undefined, ["firstname"]);
    const history = read.propertiesWithHistory.firstname;
    assert.deepEqual(history.map((entry) => entry.value), ["Two", "One"]);
    assert.equal(history[0].sourceType, "INTEGRATION");
  });

  it("are archived", async () => {
    const made = await newContact();
    await crm.contacts.basicApi.archive(made.id);
    await refused(404, () => crm.contacts.basicApi.getById(made.id));
    const read = await crm.contacts.basicApi.getById(made.id, undefined, undefined, undefined, true);
    assert.equal(read.archived, true);
  });

  it("are listed page by page, each once", async () => {
    const made = [];
    for (const name of ["Cog", "Wheel", "Lever", "Card", "Mill"]) made.push((await newObject("products", { name })).id);
    const ids = [];
    let after;
    do {
      const page = await crm.products.basicApi.getPage(2, after);
      ids.push(...page.results.map((record) => record.id));
      after = page.paging?.next?.after;
    } while (after);
    assert.equal(new Set(ids).size, ids.length);
    for (const id of made) assert.ok(ids.includes(id));
    assert.equal((await crm.products.getAll()).length, ids.length);
  });

  it("are merged, and both ids answer", async () => {
    const [winner, loser] = [await newContact({ firstname: "Kept" }), await newContact()];
    const merged = await crm.contacts.basicApi.merge({ primaryObjectId: winner.id, objectIdToMerge: loser.id });
    for (const id of [winner.id, loser.id]) assert.equal((await crm.contacts.basicApi.getById(id)).id, merged.id);
  });

  it("are forgotten for good", async () => {
    const made = await newContact();
    await crm.contacts.basicApi.purge({ objectId: made.id });
    await refused(404, () => crm.contacts.basicApi.getById(made.id, undefined, undefined, undefined, true));
  });
});

describe("batches", () => {
  it("create, read, update, upsert and archive", async () => {
    const emails = [address(), address()];
    const made = await crm.contacts.batchApi.create({
      inputs: emails.map((email) => ({ properties: { email }, associations: [] })),
    });
    assert.equal(made.status, "COMPLETE");
    const ids = made.results.map((record) => record.id);
    await crm.contacts.batchApi.update({ inputs: ids.map((id) => ({ id, properties: { city: "Turin" } })) });
    const read = await crm.contacts.batchApi.read({
      inputs: emails.map((id) => ({ id })),
      idProperty: "email",
      properties: ["city"],
      propertiesWithHistory: [],
    });
    assert.deepEqual(read.results.map((record) => record.properties.city), ["Turin", "Turin"]);
    const fresh = address();
    const upserted = await crm.contacts.batchApi.upsert({
      inputs: [emails[0], fresh].map((id) => ({ id, idProperty: "email", properties: { city: "Pisa" } })),
    });
    const isNew = Object.fromEntries(upserted.results.map((record) => [record.properties.email, record._new]));
    assert.deepEqual(isNew, { [emails[0]]: false, [fresh]: true });
    await crm.contacts.batchApi.archive({ inputs: ids.map((id) => ({ id })) });
    await refused(404, () => crm.contacts.basicApi.getById(ids[0]));
  });

  it("are refused whole for one bad row without trace ids", async () => {
    const good = address();
    const inputs = [{ email: good }, { email: address(), no_such_property: "x" }];
    const call = () =>
      crm.contacts.batchApi.create({ inputs: inputs.map((properties) => ({ properties, associations: [] })) });
    const error = await refused(400, call);
    assert.equal(error.body.category, "VALIDATION_ERROR");
    await refused(404, () =>
      crm.contacts.basicApi.getById(good, undefined, undefined, undefined, false, "email"));
  });

  it("say which row was bad with trace ids", async () => {
    const rows = [{ email: address() }, { email: address(), no_such_property: "x" }];
    const answer = await crm.contacts.batchApi.create({
      inputs: rows.map((properties, row) => ({ properties, associations: [], objectWriteTraceId: `row-${row}` })),
    });
    assert.deepEqual(answer.results.map((record) => record.objectWriteTraceId), ["row-0"]);
    assert.equal(answer.numErrors, 1);
    assert.deepEqual(answer.errors[0].context.objectWriteTraceId, ["row-1"]);
  });
});

describe("refusals", () => {
  it("409 for a taken e-mail names the holder", async () => {
    const email = address();
    const made = await newContact({ email });
    const error = await refused(409, () => newContact({ email }));
    assert.equal(error.body.message, `Contact already exists. Existing ID: ${made.id}`);
  });

  it("400 for bad values names property and code", async () => {
    for (const [properties, code] of [
      [{ email: "no address" }, "INVALID_EMAIL"],
      [{ no_such_property: "x" }, "PROPERTY_DOESNT_EXIST"],
      [{ lifecyclestage: "no such stage" }, "INVALID_OPTION"],
    ]) {
      const error = await refused(400, () => newContact(properties));
      assert.equal(error.body.category, "VALIDATION_ERROR");
      assert.ok(error.body.errors.some((entry) => entry.code === code), code);
    }
  });

  it("401 for a strange token", async () => {
    await refused(401, () => sandbox.client("of-somebody-else").crm.contacts.basicApi.getPage());
  });

  it("403 for a missing scope names what would do", async () => {
    const narrow = await startSandbox("--scopes", "crm.objects.contacts.read");
    try {
      const api = narrow.client().crm.contacts.basicApi;
      assert.deepEqual((await api.getPage()).results, []);
      const error = await refused(403, () => api.create({ properties: { email: address() }, associations: [] }));
      assert.equal(error.body.category, "MISSING_SCOPES");
      const scopes = error.body.errors[0].context.requiredGranularScopes;
      assert.ok(scopes.includes("crm.objects.contacts.write"), scopes);
    } finally {
      await narrow.stop();
    }
  });

  it("429 of the burst comes with its headers", async () => {
    const limited = await startSandbox("--tier", "free");
    try {
      // The SDK's own limiter would keep below the limit, so the calls go out through its raw request.
      const client = limited.client();
      let answer;
      for (let call = 0; call <= 100; call += 1) {
        answer = await fetch(`${limited.url}/crm/v3/objects/contacts`, {
          headers: { authorization: `Bearer ${client.config.accessToken}` },
        });
      }
      assert.equal(answer.status, 429);
      assert.equal((await answer.json()).policyName, "TEN_SECONDLY_ROLLING");
      const error = await refused(429, () => client.crm.contacts.basicApi.getPage());
      assert.equal(error.headers["x-hubspot-ratelimit-max"], "100");
      assert.equal(error.headers["x-hubspot-ratelimit-remaining"], "0");
    } finally {
      await limited.stop();
    }
  });
});

describe("search", () => {
  const company = `search-${process.pid}`;
  before(async () => {
    for (const firstname of ["Ada", "Grace", "Edsger"]) await newContact({ firstname, company });
  });
  const search = (filters, rest = {}) =>
    crm.contacts.searchApi.doSearch({
      filterGroups: [{ filters: [{ propertyName: "company", operator: "EQ", value: company }, ...filters] }],
      properties: ["firstname"],
      limit: 10,
      ...rest,
    });

  it("knows its operators", async () => {
    for (const [expected, filter] of [
      [["Ada"], { operator: "EQ", value: "ada" }],
      [["Edsger", "Grace"], { operator: "NOT_IN", values: ["ada"] }],
      [["Edsger"], { operator: "CONTAINS_TOKEN", value: "eds*" }],
      [["Ada", "Edsger", "Grace"], { operator: "HAS_PROPERTY" }],
    ]) {
      const answer = await search([{ propertyName: "firstname", ...filter }]);
      assert.deepEqual(answer.results.map((record) => record.properties.firstname).sort(), expected);
      assert.equal(answer.total, expected.length);
    }
  });

  it("sorts and turns pages", async () => {
    const names = [];
    let after;
    do {
      const sorts = [{ propertyName: "firstname", direction: "DESCENDING" }];
      const page = await search([], { limit: 2, sorts, ...(after && { after }) });
      names.push(...page.results.map((record) => record.properties.firstname));
      after = page.paging?.next?.after;
    } while (after);
    assert.deepEqual(names, ["Grace", "Edsger", "Ada"]);
  });
});

describe("associations", () => {
  it("go both ways, labelled and not", async () => {
    const contact = await newContact();
    const company = await newObject("companies", { name: "Analytical Engines" });
    const api = crm.associations.v4.basicApi;
    await api.createDefault("contacts", contact.id, "companies", company.id);
    const back = await api.getPage("companies", company.id, "contacts");
    assert.deepEqual(back.results.map((link) => String(link.toObjectId)), [contact.id]);

    const label = { name: "billing_contact", label: "Billing contact" };
    const { results } = await crm.associations.v4.schema.definitionsApi.create("contacts", "companies", label);
    const typeId = results.find((kind) => kind.label === label.label).typeId;
    const types = [{ associationCategory: "USER_DEFINED", associationTypeId: typeId }];
    await crm.associations.v4.batchApi.create("contacts", "companies", {
      inputs: [{ _from: { id: contact.id }, to: { id: company.id }, types }],
    });
    const read = await crm.associations.v4.batchApi.getPage("contacts", "companies", { inputs: [{ id: contact.id }] });
    const kinds = read.results[0].to[0].associationTypes;
    assert.ok(kinds.some((kind) => kind.typeId === typeId && kind.label === label.label));
    await api.archive("contacts", contact.id, "companies", company.id);
    assert.deepEqual((await api.getPage("contacts", contact.id, "companies")).results, []);
  });
});

describe("definitions", () => {
  it("of properties and groups", async () => {
    await crm.properties.groupsApi.create("contacts", { name: "node_kit", label: "Kit", displayOrder: -1 });
    const property = { name: "node_key", label: "Key", type: "string", fieldType: "text", groupName: "node_kit" };
    const made = await crm.properties.coreApi.create("contacts", { ...property, hasUniqueValue: true });
    assert.equal(made.hasUniqueValue, true);
    await refused(409, () => crm.properties.coreApi.create("contacts", property));
    const contact = await newContact({ node_key: "row-1" });
    const found = await crm.contacts.basicApi.getById("row-1", ["node_key"], undefined, undefined, false, "node_key");
    assert.equal(found.id, contact.id);
  });

  it("of custom objects", async () => {
    const schema = await crm.schemas.coreApi.create({
      name: "node_shipment",
      labels: { singular: "Shipment", plural: "Shipments" },
      primaryDisplayProperty: "code",
      requiredProperties: ["code"],
      searchableProperties: ["code"],
      secondaryDisplayProperties: [],
      associatedObjects: ["CONTACT"],
      properties: [{ name: "code", label: "Code", type: "string", fieldType: "text", hasUniqueValue: true }],
    });
    assert.match(schema.objectTypeId, /^2-\d+$/);
    const made = await newObject(schema.objectTypeId, { code: "S-1" });
    assert.equal(made.properties.code, "S-1");
  });

  it("of pipelines and owners", async () => {
    const pipeline = await crm.pipelines.pipelinesApi.create("deals", {
      label: "Node wholesale",
      displayOrder: 7,
      stages: [{ label: "Open", displayOrder: 0, metadata: { probability: "0.2" } }],
    });
    const deal = await newObject("deals", {
      dealname: "First order",
      pipeline: pipeline.id,
      dealstage: pipeline.stages[0].id,
    });
    assert.equal(deal.properties.pipeline, pipeline.id);
    const owners = await crm.owners.ownersApi.getPage();
    assert.equal((await crm.owners.ownersApi.getById(Number(owners.results[0].id))).email, owners.results[0].email);
  });
});

describe("the raw request", () => {
  it("reaches dated paths with the SDK's credential", async () => {
    const made = await newContact();
    const answer = await hubspot.apiRequest({ path: `/crm/objects/2026-03/contacts/${made.id}` });
    assert.equal(answer.status, 200);
    assert.equal((await answer.json()).id, made.id);
  });
});
