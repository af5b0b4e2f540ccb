/**
 * packwire/testing: the suites that define what a database must do, for any test runner.
 *
 * @module
 */
export {
  type ObjectDatabaseConformance,
  testObjectDatabase,
} from './odb/conformance/object-database-conformance.ts';
export {
  type ConformanceCase as RefDatabaseCase,
  type ConformanceTools as RefDatabaseTools,
  REF_DATABASE_CASES,
} from './refs/conformance.ts';
