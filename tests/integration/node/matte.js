// Mattes raw RGB pixels inline, knowing nothing but the .proto file and the connection file.
// usage: node matte.js PROTO SERVICE_JSON WIDTH HEIGHT PIXELS HINT OUTPUT
const fs = require("fs");
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const [proto, connectionFile, width, height, pixels, hint, output] = process.argv.slice(2);
const connection = JSON.parse(fs.readFileSync(connectionFile, "utf8"));
const definition = loader.loadSync(proto, { enums: String, oneofs: true });
const { Matting } = grpc.loadPackageDefinition(definition).bshm.bridge.v1;
const client = new Matting(connection.endpoint, grpc.credentials.createInsecure(), {
  "grpc.default_authority": "localhost",
  "grpc.max_receive_message_length": 8 << 20,
});
const metadata = new grpc.Metadata();
metadata.set("authorization", `Bearer ${connection.token}`);

const call = client.Matte(metadata);
const chunks = [];
const kinds = new Set();
let result = null;
call.on("data", (event) => {
  kinds.add(event.event);
  if (event.result) result = event.result;
  if (event.chunk) chunks.push(event.chunk);
});
call.on("error", (error) => {
  console.error(error.code, error.metadata.get("bshm-reason"), error.details);
  process.exit(1);
});
call.on("end", () => {
  fs.writeFileSync(output, Buffer.concat(chunks));
  console.log(JSON.stringify({ matte: result.matte, model: result.model, kinds: [...kinds] }));
  client.close();
});

const size = { width: Number(width), height: Number(height), depth: "CHANNEL_DEPTH_U8" };
call.write({
  header: {
    protocol: connection.protocol,
    client: "node",
    pixels: { ...size, layout: "CHANNEL_LAYOUT_RGB" },
    hint: { ...size, layout: "CHANNEL_LAYOUT_GRAY" },
    inline: {},
  },
});
for (const file of [pixels, hint]) {
  const data = fs.readFileSync(file);
  for (let start = 0; start < data.length; start += 1 << 20) {
    call.write({ chunk: data.subarray(start, start + (1 << 20)) });
  }
}
call.end();
