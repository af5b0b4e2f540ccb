/**
 * packwire/protocol: the wire, for those who build another transport, client or test.
 *
 * @module
 */
export { AGENT, type Capabilities, parseCapabilities } from './protocol/capabilities.ts';
export { PacketReader } from './protocol/packet-reader.ts';
export {
  DELIMITER_PACKET,
  decodePacket,
  encodePacket,
  FLUSH_PACKET,
  MAX_PACKET_BYTES,
  MAX_PAYLOAD_BYTES,
  type Packet,
  payloadText,
} from './protocol/pkt-line.ts';
export { type ReceivePackOptions, receivePack } from './protocol/receive-pack.ts';
export {
  type ProtocolVersion,
  parseProtocolVersion,
  type ServiceMode,
  type ServiceOptions,
} from './protocol/service.ts';
export { type Band, type BandTwo, encodeBand, multiplex } from './protocol/side-band.ts';
export { type UploadArchiveOptions, uploadArchive } from './protocol/upload-archive.ts';
export { type UploadPackOptions, uploadPack } from './protocol/upload-pack.ts';
