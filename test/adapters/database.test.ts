import { describeEachDatabase } from '../support/each-database.ts';
import { databaseContract } from './database-contract.ts';

describeEachDatabase('the database', databaseContract);
